/** Who called: proven in the handshake, held for the life of the connection. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { peerSpiffeId } from '@weft/schemas/node/identity'
import { subjectOf } from '@weft/schemas/policy'
import type { Peer } from '../transport/exchange.ts'

/** A caller of a plain-text listener. */
export const ANONYMOUS: Peer = { id: undefined, subject: subjectOf(undefined) }

/** Undefined for a certificate that is not a workload's of this trust domain: such a caller is refused like one without any. */
export function provenPeer(socket: Socket, trustDomain: string): Peer | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined
  const id = peerSpiffeId(socket)
  return id === undefined || id.trustDomain !== trustDomain ? undefined : { id, subject: subjectOf(id) }
}

/** `performance.now()` at which the certificate of the caller expires; a connection must not outlive it by a request. */
export function certificateEnd(socket: Socket): number | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  const end = Date.parse(socket.getPeerX509Certificate()?.validTo ?? '')
  return Number.isNaN(end) ? undefined : performance.now() + end - Date.now()
}
