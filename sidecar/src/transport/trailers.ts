/** RFC 9110, section 6.5.1: what frames, routes, authenticates or describes the body has no business after it. */
export const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'set-cookie',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'max-forwards',
  'range',
])
