import type { NamedPolicy } from '@weft/schemas/policy'
import type { AccessPolicyResource, ServiceResource } from '@weft/schemas/resources'
import { inOrderOfName } from '../source/references.ts'

/** Policies as decisions name them, in one order: of several that match, every sidecar names the same one. */
export function namedPolicies(policies: readonly AccessPolicyResource[]): readonly NamedPolicy[] {
  return inOrderOfName(policies).map(({ metadata: { name, namespace }, spec }) => ({
    name,
    namespace,
    ...spec,
  }))
}

/** Those that the sidecar of this service has to judge by: what is done to the service, to Kafka, or to anything. */
export function policiesFor(
  policies: readonly NamedPolicy[],
  service: ServiceResource | undefined,
): readonly NamedPolicy[] {
  return policies.filter(
    ({ target, namespace }) =>
      target.service === undefined ||
      (target.service === service?.metadata.name && namespace === service.metadata.namespace),
  )
}
