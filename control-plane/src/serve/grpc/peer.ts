import { X509Certificate } from 'node:crypto'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import type { SpiffeId } from '@weft/schemas/spiffe'

/** Who is at the other end of a call, proven by the certificate of its connection. */
export interface Peer {
  readonly identity: SpiffeId
  readonly expiresAt: Date
}

/** The part of a grpc-js call that is needed here. */
interface AuthenticatedCall {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw?: Uint8Array } }
}

/**
 * The peer of a call; undefined where its connection came without a certificate. Nothing that a client can write
 * takes part: grpc-js answers `getAuthContext` from the TLS socket under the HTTP/2 session of this very call, and only
 * where OpenSSL accepted the chain in the handshake, in which the client signed with the key of the certificate.
 * tls-port.ts has refused every other certificate before the connection got here. Metadata is never read.
 */
export function peerOf(call: AuthenticatedCall): Peer | undefined {
  const raw = call.getAuthContext().sslPeerCertificate?.raw
  if (raw === undefined) return undefined
  const certificate = new X509Certificate(raw)
  const identity = spiffeIdOf(certificate)
  const expiresAt = certificate.validToDate
  // A call on a connection that is older than its certificate is the call of nobody.
  return identity === undefined || expiresAt.getTime() <= Date.now() ? undefined : { identity, expiresAt }
}
