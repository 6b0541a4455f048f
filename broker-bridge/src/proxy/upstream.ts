import { X509Certificate } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { checkServerIdentity, connect as connectTls, type PeerCertificate, rootCertificates } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { secureContext, spiffeIdOf, type WorkloadIdentity } from '@weft/schemas/node/identity'
import type { KafkaCluster } from '@weft/schemas/snapshot'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Kafka's own socket.connection.setup.timeout.ms is 10 s; the mesh's connect timeout is half of that. */
const CONNECT_TIMEOUT_MS = 5_000
/** A broker that vanished without a word is noticed, at the latest, after this and the system's probes. */
const KEEPALIVE_MS = 60_000

/**
 * Opens a connection to one broker, the handshake done. Throws `connect_failed`, or `peer_identity` where the broker
 * did not prove itself. With mTLS each connection takes the certificate that is current when it is opened.
 */
export function connectBroker(
  address: BrokerAddress,
  security: KafkaCluster['security'],
  identity: WorkloadIdentity,
): Promise<Socket> {
  const socket = open(address, security, identity)
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const timer = setTimeout(
    () => socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`)),
    CONNECT_TIMEOUT_MS,
  )
  const onClose = () => reject(connectFailed(address, new Error('closed during the handshake')))
  const onError = (error: Error) => reject(error instanceof MeshError ? error : connectFailed(address, error))
  socket.once('error', onError)
  socket.once('close', onClose)
  socket.once(security === 'plaintext' ? 'connect' : 'secureConnect', () => {
    socket.off('error', onError)
    socket.off('close', onClose)
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEPALIVE_MS)
    resolve(socket)
  })
  return promise.finally(() => clearTimeout(timer))
}

const connectFailed = ({ host, port }: BrokerAddress, cause: Error): MeshError =>
  new MeshError('connect_failed', `no connection to the Kafka broker at ${host}:${port}: ${cause.message}`, {
    cause,
  })

function open(
  address: BrokerAddress,
  security: KafkaCluster['security'],
  identity: WorkloadIdentity,
): Socket {
  const { host, port } = address
  if (security === 'plaintext') return connectTcp({ host, port, noDelay: true })
  if (security === 'mtls') {
    return connectTls({
      host,
      port,
      secureContext: secureContext(identity),
      checkServerIdentity: (name, certificate) =>
        checkMeshBroker(name, certificate, identity.spiffeId.trustDomain),
    })
  }
  // The broker may be a hosted one with a public certificate, or one of the mesh's.
  return connectTls({ host, port, ca: [...rootCertificates, identity.trustBundlePem] })
}

/**
 * Runs after the chain has been verified against the mesh bundle. The broker is believed by name (a DNS or IP SAN
 * that is the address), or, where it is reached by an address that its certificate does not list, by a SPIFFE id of
 * the own trust domain in a certificate that carries host names at all: workload certificates never do, only those
 * that an administrator issued for brokers. So no workload of the mesh can pass itself off as the broker.
 */
function checkMeshBroker(host: string, peer: PeerCertificate, trustDomain: string): Error | undefined {
  if (checkServerIdentity(host, peer) === undefined) return undefined
  const certificate = new X509Certificate(peer.raw)
  const id = spiffeIdOf(certificate)
  const namesHosts = /(^|, )(DNS|IP Address):/.test(certificate.subjectAltName ?? '')
  if (id?.trustDomain === trustDomain && namesHosts) return undefined
  return new MeshError(
    'peer_identity',
    `expected a broker certificate for ${host}, or one of trust domain ${trustDomain} with host names; ` +
      `it has ${certificate.subjectAltName ?? 'no names'}. Issue one with POST /api/v1/certificates`,
  )
}
