/** Durations of the Gateway API (GEP-2257): up to four numbers with a unit, such as `1h30m`, `10s`, `500ms`. */

const PART = /(\d{1,5})(h|ms|m|s)/g
const WHOLE = /^(?:\d{1,5}(?:h|m|s|ms)){1,4}$/
const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** Milliseconds; undefined for what is no such duration. */
export function gatewayDurationMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || !WHOLE.test(value)) return undefined
  let totalMs = 0
  for (const [, count, unit] of value.matchAll(PART))
    totalMs += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return totalMs
}
