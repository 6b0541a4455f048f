export interface Backoff {
  readonly baseMs: number
  readonly maxMs: number
}

/** Full jitter: anything from 0 to the doubled base, so that sidecars that lost one control plane do not come back as one. */
export function backoffMs(
  { baseMs, maxMs }: Backoff,
  attempt: number,
  random: number = Math.random(),
): number {
  // 2 ** 30 is beyond every maximum; more would end in Infinity.
  return random * Math.min(maxMs, baseMs * 2 ** Math.min(attempt, 30))
}
