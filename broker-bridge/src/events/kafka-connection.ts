import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, type PeerCertificate, rootCertificates } from 'node:tls'
import { type IdentitySource, secureContext, spiffeIdOf } from '@weft/schemas/node/identity'
import type { KafkaCluster } from '@weft/schemas/snapshot'

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
    brokerIdentityFault(host, certificate, identity.current().spiffeId.trustDomain)
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

/**
 * Undefined where the certificate, its chain verified already, is the broker's: it carries the host's name or address, or it
 * carries host names at all and a SPIFFE id of the own trust domain. Certificates of workloads never name hosts, only those that
 * an administrator issued for brokers do: no workload can pass itself off as the broker. The wire proxy has the same rule.
 */
function brokerIdentityFault(host: string, peer: PeerCertificate, trustDomain: string): Error | undefined {
  const fault = checkServerIdentity(host, peer)
  if (fault === undefined) return undefined
  const certificate = new X509Certificate(peer.raw)
  const namesHosts = /(^|, )(DNS|IP Address):/.test(certificate.subjectAltName ?? '')
  return spiffeIdOf(certificate)?.trustDomain === trustDomain && namesHosts ? undefined : fault
}
