import type { Kind } from './types.ts'

/** `Topic default/orders`: the identity of a resource, in words. */
export function resourceKey(resource: {
  readonly kind: Kind
  readonly metadata: { readonly name: string; readonly namespace: string }
}): string {
  return `${resource.kind} ${resource.metadata.namespace}/${resource.metadata.name}`
}
