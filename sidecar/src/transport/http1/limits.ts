/** Limits of an HTTP/1.1 connection. The defaults are those of the common servers, so that what works there works here. */
export interface Http1Limits {
  /** Request line and fields, or a trailer section; 431 beyond. */
  readonly maxHeadBytes: number
  readonly maxFields: number
  /** From the first byte of a head to its last; 408 beyond. */
  readonly headTimeoutMs: number
  /** Between two requests of a connection. */
  readonly idleTimeoutMs: number
}

export const DEFAULT_LIMITS: Http1Limits = {
  maxHeadBytes: 32 * 1024,
  maxFields: 100,
  headTimeoutMs: 10_000,
  idleTimeoutMs: 75_000,
}
