/** Header fields as a flat array (see exchange.ts): a handful of entries, so a scan beats any index. */
import type { Fields } from './exchange.ts'

/** The first value; undefined where the name (lower case) is absent. */
export function firstValue(fields: Fields, name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) if (fields[at] === name) return fields[at + 1]
  return undefined
}

/** The value where the field is there exactly once. */
export function onlyValue(fields: Fields, name: string): string | undefined {
  let value: string | undefined
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue
    if (value !== undefined) return undefined
    value = fields[at + 1]
  }
  return value
}

/** Leaves exactly one field of this name. */
export function setField(fields: Fields, name: string, value: string): void {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== name) continue
    fields[at + 1] = value
    removeFrom(fields, at + 2, (other) => other === name)
    return
  }
  fields.push(name, value)
}

/** Removes the fields whose name the predicate knows, in place. */
export function removeFields(fields: Fields, isUnwanted: (name: string) => boolean): void {
  removeFrom(fields, 0, isUnwanted)
}

function removeFrom(fields: Fields, from: number, isUnwanted: (name: string) => boolean): void {
  let kept = from
  for (let at = from; at < fields.length; at += 2) {
    const name = fields[at] as string
    if (isUnwanted(name)) continue
    if (kept !== at) {
      fields[kept] = name
      fields[kept + 1] = fields[at + 1] as string
    }
    kept += 2
  }
  fields.length = kept
}

/** The value of a cookie, as it came (RFC 6265, section 5.4); undefined where there is none of this name. */
export function cookieValue(fields: Fields, name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (fields[at] !== 'cookie') continue
    for (const pair of (fields[at + 1] as string).split(';')) {
      const text = pair.trim()
      if (text.startsWith(name) && text[name.length] === '=') return text.slice(name.length + 1)
    }
  }
  return undefined
}
