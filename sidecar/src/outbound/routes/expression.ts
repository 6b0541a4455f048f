/** Regular expressions of routes: RE2's, over the whole value. RE2 takes linear time, so no request can hang the sidecar. */
import { createRequire } from 'node:module'
import type { RE2JS } from 're2js'

let library: { readonly RE2JS: typeof RE2JS } | undefined

/** Compiles; throws where the expression is none (the control plane has refused it before). */
export function expression(pattern: string): (value: string) => boolean {
  // Loaded late: it costs 6 MB, and most sidecars have no route with an expression.
  library ??= createRequire(import.meta.url)('re2js') as typeof library & object
  const compiled = library.RE2JS.compile(pattern)
  return (value) => compiled.matches(value)
}
