import type { NamedPolicy } from '@weft/schemas/policy'
import type { JwtProviderResource } from '@weft/schemas/resources'
import type { JwtProviderEntry } from '@weft/schemas/snapshot'
import { inOrderOfName, providerNames } from '../source/references.ts'

/** The providers that these policies name: a sidecar whose policies ask for no token leaves those of its app alone. */
export function providersFor(
  policies: readonly NamedPolicy[],
  providers: readonly JwtProviderResource[],
): readonly JwtProviderEntry[] {
  const named = new Set(
    policies.flatMap(({ namespace, rules }) => providerNames(rules).map((name) => `${namespace}/${name}`)),
  )
  return inOrderOfName(providers)
    .map(({ metadata: { name, namespace }, spec }) => ({ name, namespace, ...spec }))
    .filter(({ name, namespace }) => named.has(`${namespace}/${name}`))
}
