import { isIP } from 'node:net'
import { type ConnectionOptions, type PeerCertificate, rootCertificates } from 'node:tls'
import { type IdentitySource, secureContext } from '@weft/schemas/node/identity'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { checkMeshBroker } from '../broker-identity.ts'

/** What every Kafka client of the event API is built with. */
export interface KafkaConnection {
  /** Equal for two connections that lead to the same place in the same way. */
  readonly name: string
  readonly bootstrapBrokers: string[]
  readonly tls?: ConnectionOptions
  readonly tlsServerName?: boolean
}

/**
 * How to reach the cluster of a snapshot. The TLS options are read when a socket is opened, not when the client is built:
 * a connection opened after a renewal uses the new certificate, whichever client opens it.
 */
export function kafkaConnection(cluster: KafkaCluster, identity: IdentitySource): KafkaConnection {
  const bootstrapBrokers = [...cluster.bootstrapServers]
  const name = `${cluster.security} ${bootstrapBrokers.join(',')}`
  if (cluster.security === 'plaintext') return { name, bootstrapBrokers }
  const check = (host: string, certificate: PeerCertificate) =>
    checkMeshBroker(host, certificate, identity.current().spiffeId.trustDomain)
  const tls =
    cluster.security === 'mtls'
      ? {
          checkServerIdentity: check,
          get secureContext() {
            return secureContext(identity.current())
          },
        }
      : {
          checkServerIdentity: check,
          // A broker outside of the mesh proves itself with a public certificate, one inside with the mesh's.
          get ca() {
            return [...rootCertificates, identity.current().trustBundlePem]
          },
        }
  // RFC 6066: no SNI for an address.
  const tlsServerName = cluster.bootstrapServers.every((server) => isIP(server.replace(/:\d+$/, '')) === 0)
  return { name, bootstrapBrokers, tls, tlsServerName }
}
