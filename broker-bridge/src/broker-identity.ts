import { X509Certificate } from 'node:crypto'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { spiffeIdOf } from '@weft/schemas/node/identity'

/**
 * Is this the broker? Undefined where it is; for both ways into Kafka, after the chain has been verified against the mesh bundle.
 * The broker is believed by name (a DNS or IP SAN that is the address), or, where it is reached by an address that its
 * certificate does not list, by a SPIFFE id of the own trust domain in a certificate that carries host names at all: workload
 * certificates never do, only those that an administrator issued for brokers. So no workload of the mesh can pass itself off as the broker.
 */
export function checkMeshBroker(
  host: string,
  peer: PeerCertificate,
  trustDomain: string,
): MeshError | undefined {
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
