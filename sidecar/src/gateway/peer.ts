/** A caller from outside: nobody, or who its certificate says, where the listener asked for one. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { GatewayListener } from '@weft/schemas/snapshot'
import type { Peer } from '../transport/exchange.ts'

/** One object for each connection. Undefined: the listener asks for a certificate that none of its authorities vouches for, or none came. */
export function outsidePeer(socket: Socket, listener: GatewayListener | undefined): Peer | undefined {
  if (listener?.tls?.clientAuthorities === undefined) return { id: undefined, subject: { kind: 'anonymous' } }
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const names = socket.getPeerX509Certificate()?.subjectAltName?.split(', ') ?? []
  // Never an identity of the mesh, whatever it says: its authority is not ours.
  return { id: undefined, subject: { kind: 'certificate', names } }
}
