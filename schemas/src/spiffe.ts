/** SPIFFE ids as Weft issues them: `spiffe://<trust domain>/ns/<namespace>/sa/<service account>`. */

export interface SpiffeId {
  readonly trustDomain: string
  readonly namespace: string
  readonly serviceAccount: string
  /** The whole id, as it stands in the URI SAN of the certificate. */
  readonly uri: string
}

/** SPIFFE-ID specification, section 2: a trust domain is lower-case letters, digits, dots, dashes, underscores. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
/** Kubernetes names (RFC 1123 label or subdomain); keeps an id free of anything that needs escaping. */
const NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** Builds an id. Throws a RangeError that names the part that is not allowed. */
export function spiffeId(trustDomain: string, namespace: string, serviceAccount: string): SpiffeId {
  if (!TRUST_DOMAIN.test(trustDomain))
    throw new RangeError(`not a trust domain: ${JSON.stringify(trustDomain)}`)
  if (!NAME.test(namespace)) throw new RangeError(`not a namespace: ${JSON.stringify(namespace)}`)
  if (!NAME.test(serviceAccount))
    throw new RangeError(`not a service account: ${JSON.stringify(serviceAccount)}`)
  const uri = `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`
  return { trustDomain, namespace, serviceAccount, uri }
}

const FORM = /^spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/

/** Parses an id; undefined for anything that Weft would not have issued. */
export function parseSpiffeId(uri: string): SpiffeId | undefined {
  const match = FORM.exec(uri)
  if (match === null) return undefined
  const [, trustDomain = '', namespace = '', serviceAccount = ''] = match
  if (!TRUST_DOMAIN.test(trustDomain) || !NAME.test(namespace) || !NAME.test(serviceAccount)) return undefined
  return { trustDomain, namespace, serviceAccount, uri }
}
