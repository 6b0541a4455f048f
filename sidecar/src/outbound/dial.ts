/** Opens an mTLS connection to the sidecar of an endpoint, and believes it only with the identity that the snapshot names. */
import { connect as connectTls } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { type IdentitySource, peerSpiffeId, secureContext } from '@weft/schemas/node/identity'
import type { Endpoint } from '@weft/schemas/snapshot'
import type { PoolOptions } from '../transport/pool.ts'

export function dialEndpoint(endpoint: Endpoint, identity: IdentitySource): PoolOptions['dial'] {
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
      // HTTP/1.1 for peers that are not as new.
      ALPNProtocols: ['h2', 'http/1.1'],
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
