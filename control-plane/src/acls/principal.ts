/** How brokers call the workloads of a mesh: by the subject of their certificate, as Kafka's DefaultKafkaPrincipalBuilder reads it (RFC 2253). */
import type { SpiffeId } from '@weft/schemas/spiffe'
import { controlPlaneId } from '../serve/ca/index.ts'

/** `User:CN=order-service,OU=default,O=weft.local`. What may stand in a SPIFFE id needs no escape there. */
export const principalOf = ({ serviceAccount, namespace, trustDomain }: SpiffeId): string =>
  `User:CN=${serviceAccount},OU=${namespace},O=${trustDomain}`

/**
 * Whose ACLs are ours: those of every principal that a certificate of this trust domain can have, but for the control plane's own, without which
 * nobody could write any. All others, `User:*` among them, are somebody else's.
 */
export function isOurs(principal: string, trustDomain: string): boolean {
  const [, serviceAccount, namespace, domain] = PRINCIPAL.exec(principal) ?? []
  return (
    serviceAccount !== undefined &&
    namespace !== undefined &&
    domain === trustDomain &&
    principal !== principalOf(controlPlaneId(trustDomain))
  )
}

const PRINCIPAL = /^User:CN=([a-z0-9.-]+),OU=([a-z0-9.-]+),O=([a-z0-9._-]+)$/
