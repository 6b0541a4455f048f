import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, rootCertificates } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { secureContext, type WorkloadIdentity } from '@weft/schemas/node/identity'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { checkMeshBroker } from './broker-identity.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** `host:port`, IPv6 hosts in brackets. */
export function toAddress(server: string): BrokerAddress {
  const colon = server.lastIndexOf(':')
  return { host: server.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(server.slice(colon + 1)) }
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
