/** Opens an mTLS connection to the sidecar of an endpoint, and believes it only with the identity that the snapshot names. */
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { type IdentitySource, peerSpiffeId, secureContext } from '@weft/schemas/node/identity'
import type { Endpoint } from '@weft/schemas/snapshot'

/** Opens a socket; calls exactly one of both, and not before it has returned. */
export type Dial = (ready: (socket: Socket) => void, failed: (error: MeshError) => void) => Socket

/** HTTP/1.1 for peers that are not as new. */
const HTTP_ALPN: readonly string[] = ['h2', 'http/1.1']

/** `alpn`: what the caller can speak; what was chosen stands in the socket that is handed over. */
export function dialEndpoint(
  endpoint: Endpoint,
  identity: IdentitySource,
  alpn: readonly string[] = HTTP_ALPN,
): Dial {
  const { address, port } = endpoint
  return (ready, failed) => {
    const socket = connectTls({
      host: address,
      port,
      // The context of this moment: connections that are made after a rotation carry the new certificate.
      secureContext: secureContext(identity.current()),
      rejectUnauthorized: true,
      // Names in certificates are SPIFFE ids, not hosts. The id is compared below; the chain is checked by OpenSSL.
      checkServerIdentity: () => undefined,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [...alpn],
    })
    socket.setNoDelay(true)
    const onError = (cause: Error): void => failed(failureOf(endpoint, cause))
    socket.once('error', onError)
    socket.once('secureConnect', () => {
      const proven = socket.authorized ? peerSpiffeId(socket)?.uri : undefined
      if (proven !== endpoint.identity) return failed(wrongIdentity(endpoint, proven))
      socket.removeListener('error', onError)
      ready(socket)
    })
    return socket
  }
}

function wrongIdentity(endpoint: Endpoint, proven: string | undefined): MeshError {
  const message = `expected ${endpoint.identity} at ${endpoint.address}:${endpoint.port}; ${proven ?? 'no identity of this mesh'} came`
  return new MeshError('peer_identity', message, { target: endpoint.identity })
}

function failureOf(endpoint: Endpoint, cause: Error): MeshError {
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
  // OpenSSL's own verification failed: somebody is there, and is not who it should be.
  if (/CERT|SELF_SIGNED|UNABLE_TO|ISSUER/.test(code))
    return wrongIdentity(endpoint, `a certificate that fails with ${code}`)
  return new MeshError('connect_failed', `no connection to ${endpoint.address}:${endpoint.port}: ${code}`, {
    cause,
    target: endpoint.identity,
  })
}
