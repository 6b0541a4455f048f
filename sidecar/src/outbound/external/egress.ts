/** The last word before a call leaves the mesh: may this workload make it, and under which name does the server know itself? */
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Metrics } from '@weft/schemas/node/metrics'
import { decide, type HttpAction, type PolicyIndex, subjectOf } from '@weft/schemas/policy'
import type { ServiceEntry, SnapshotSource } from '@weft/schemas/snapshot'
import type { RequestHead, Service } from '../../transport/exchange.ts'

export interface EgressOptions {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
}

/** For services outside; the mesh's own are asked about by the sidecar that receives the call. */
export function egress(inner: Service, service: ServiceEntry, options: EgressOptions): Service {
  const { external } = service
  if (external === undefined) return inner
  const refusals = options.metrics.counter('weft_policy_refused_total')
  const target = external.name === undefined ? 'outside' : `${service.namespace}/${external.name}`
  const authority = external.tls === undefined ? undefined : tlsAuthority(service)

  const check = (head: RequestHead): void => {
    const source = options.identity.current().spiffeId
    const count = (policy: string, mode: 'enforce' | 'audit'): void =>
      refusals.inc({ protocol: 'http', source: source.serviceAccount, target, policy, mode })
    const action: HttpAction = {
      protocol: 'http',
      resource: 'externalService',
      service: external.name ?? '',
      namespace: service.namespace,
      method: head.method,
      path: head.target.split('?', 1)[0] ?? '',
    }
    const decided = decide(
      policiesFor(external.name, options.snapshots.current().policies),
      subjectOf(source),
      action,
    )
    if (decided.audited !== undefined) count(decided.audited, 'audit')
    if (decided.allowed) return
    const policy = decided.policy ?? '-'
    head.notes.policy = policy
    count(policy, 'enforce')
    throw new MeshError('permission_denied', decided.explanation, { identity: source.uri, target, policy })
  }

  return {
    call(head, response) {
      check(head)
      return inner.call(authority === undefined ? head : { ...head, authority }, response)
    },
  }
}

/** A host that no resource names was let out by `egress: allowAll`; what denies everything to somebody denies that too. */
export const policiesFor = (name: string | undefined, index: PolicyIndex): PolicyIndex =>
  name === undefined ? withoutAllows(index) : index

/** For what `egress: allowAll` lets out: all that is left to say is who may not. */
const withoutAllows = (index: PolicyIndex): PolicyIndex => ({
  ...index,
  defaultAction: 'allow',
  policies: index.policies.filter(({ action }) => action === 'deny'),
})

const HTTPS_PORT = 443

/** What the app wrote is the plain-text name of the service; the server's own has its own port (RFC 9110, section 4.2.2). */
function tlsAuthority({ hosts, endpoints }: ServiceEntry): string | undefined {
  const host = hosts[0]?.replace(/:\d+$/, '')
  const port = endpoints[0]?.port
  return host === undefined || port === HTTPS_PORT ? host : `${host}:${port}`
}
