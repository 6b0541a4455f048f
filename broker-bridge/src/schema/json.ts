/** JSON whose whole numbers are not rounded: those beyond what a double holds are bigint. */

const UTF8 = new TextDecoder('utf-8', { fatal: true })
/** Shorter ones are exact as they are. */
const LONG_NUMBER = /\d{16}/
const WHOLE = /^-?\d+$/

/** Since Node 22; the typings do not know it. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown

/** `numbers`: whole numbers are rounded like others, for who knows no bigint. Throws Error for what is no JSON in UTF-8. */
export function parseJson(bytes: Buffer, wholeNumbers: 'exact' | 'numbers' = 'exact'): unknown {
  const text = UTF8.decode(bytes)
  if (wholeNumbers === 'numbers' || !LONG_NUMBER.test(text)) return JSON.parse(text)
  const exact: Reviver = (_key, value, { source = '' }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && WHOLE.test(source) ? BigInt(source) : value
  return JSON.parse(text, exact as Parameters<typeof JSON.parse>[1])
}

/** What has no number in JSON is a text: NaN, Infinity, -Infinity. */
export const formatJson = (value: unknown): Buffer =>
  Buffer.from(
    JSON.stringify(value, (_key, member: unknown) => {
      if (typeof member === 'bigint') return rawJSON(String(member))
      return typeof member === 'number' && !Number.isFinite(member) ? String(member) : member
    }),
  )
