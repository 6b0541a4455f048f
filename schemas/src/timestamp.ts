// RFC 3339, section 5.6.
const FORM = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/

/** Where a group may begin. */
export const isStartAt = (text: string): boolean =>
  text === 'earliest' || text === 'latest' || timestampMs(text) !== undefined

/** Milliseconds since 1970 of an RFC 3339 timestamp; undefined for any other text. */
export function timestampMs(text: string): number | undefined {
  const ms = FORM.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
