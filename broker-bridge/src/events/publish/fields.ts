import type { HttpHeaders } from '@weft/schemas/cloudevents'

/** The value of a field; several of one name are joined with a comma (RFC 9110, section 5.3). */
export function field(fields: readonly string[], name: string): string | undefined {
  let value: string | undefined
  for (let at = 0; at < fields.length; at += 2)
    if (fields[at] === name) value = value === undefined ? fields[at + 1] : `${value}, ${fields[at + 1]}`
  return value
}

/** The fields that say something of the event: what `fromHttp` looks at. */
export function eventHeaders(fields: readonly string[]): HttpHeaders {
  const headers: Record<string, string> = {}
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] as string
    if (!name.startsWith('c') && !name.startsWith('weft-')) continue
    const before = headers[name]
    headers[name] = before === undefined ? (fields[at + 1] as string) : `${before}, ${fields[at + 1]}`
  }
  return headers
}
