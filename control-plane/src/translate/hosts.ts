import type { ServiceResource } from '@weft/schemas/resources'
import { addressesOf, type addressOwners } from '../source/references.ts'

/**
 * Every authority that means a service to a caller of this namespace. As in Kubernetes, the bare name means the service of the
 * caller's own namespace. An address means a service with a port only: several may share one.
 */
export function hostsOf(
  service: ServiceResource,
  callerNamespace: string,
  owners: ReturnType<typeof addressOwners>,
): readonly string[] {
  const { metadata, spec } = service
  const qualified = `${metadata.name}.${metadata.namespace}`
  const names = [qualified, `${qualified}.svc`, `${qualified}.svc.cluster.local`]
  if (metadata.namespace === callerNamespace) names.unshift(metadata.name)
  const own = addressesOf(service).filter((authority) => owners.get(authority) === service)
  return [...names.flatMap((name) => [name, ...spec.ports.map(({ port }) => `${name}:${port}`)]), ...own]
}
