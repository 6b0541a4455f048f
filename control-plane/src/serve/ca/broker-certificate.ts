import { isIP } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { type CertificateAuthority, grantableId, type IssuedKeyPair } from './authority.ts'

export interface BrokerCertificateRequest {
  readonly namespace: string
  readonly serviceAccount: string
  /** Names and addresses by which clients reach the broker; they verify these. */
  readonly dnsNames: readonly string[]
  readonly ttlSeconds: number
}

/** A broker reads its files at start: long enough to be no daily work, short enough that a lost key ends by itself. */
const MAX_TTL_SECONDS = 90 * 24 * 60 * 60
const MIN_TTL_SECONDS = 60
const MAX_NAMES = 32
/** RFC 1123 labels, a `*` as the first one permitted. */
const HOST =
  /^(?=.{1,253}$)(\*\.)?[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i

/** Key and certificate for a Kafka broker (or anything else that is no sidecar). Throws a MeshError that says what is wrong. */
export async function issueBrokerCertificate(
  authority: CertificateAuthority,
  request: BrokerCertificateRequest,
): Promise<IssuedKeyPair> {
  const id = grantableId(authority.trustDomain, request.namespace, request.serviceAccount)
  const faults = faultsOf(request)
  if (faults.length > 0) throw new MeshError('invalid_resource', faults.join('; '))
  return await authority.issueWithKey({
    spiffeId: id,
    dnsNames: request.dnsNames,
    ttlSeconds: request.ttlSeconds,
  })
}

function faultsOf({ dnsNames, ttlSeconds }: BrokerCertificateRequest): string[] {
  const faults: string[] = []
  if (dnsNames.length > MAX_NAMES)
    faults.push(`dnsNames: expected at most ${MAX_NAMES}, came ${dnsNames.length}`)
  for (const name of dnsNames.slice(0, MAX_NAMES))
    if (isIP(name) === 0 && !HOST.test(name))
      faults.push(`dnsNames: expected host names and addresses, came ${JSON.stringify(name)}`)
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < MIN_TTL_SECONDS || ttlSeconds > MAX_TTL_SECONDS)
    faults.push(`ttlSeconds: expected ${MIN_TTL_SECONDS} to ${MAX_TTL_SECONDS}, came ${ttlSeconds}`)
  return faults
}
