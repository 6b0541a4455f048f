/** CloudEvents JSON event format (structured mode). */

/** Context attributes without `datacontenttype`; keys in lower case, values as text. */
export interface CloudEventAttributes {
  readonly id: string
  readonly source: string
  readonly type: string
  readonly specversion: string
  readonly [name: string]: string
}

interface Structured {
  readonly attributes: CloudEventAttributes
  readonly contentType?: string
  /** A text means its UTF-8. */
  readonly data: Uint8Array | string
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const JSON_TYPE = /^[^;]*[/+]json\s*(?:;|$)/i

/** Reads the event; what is wrong is appended to `faults`, and then the result means nothing. */
export function readStructured(body: Uint8Array, faults: string[]): Structured {
  const value = parse(body, 'a JSON object', faults)
  if (isObject(value)) return readEvent(value, faults)
  if (value !== undefined) faults.push('body: expected a JSON object')
  return NOTHING
}

/** Reads a batch; faults of a single event stand with it, those of the whole are appended to `faults`. */
export function readBatch(
  body: Uint8Array,
  faults: string[],
): readonly { readonly event: Structured; readonly faults: string[] }[] {
  const value = parse(body, 'a JSON array of events', faults)
  if (!Array.isArray(value)) {
    if (value !== undefined) faults.push('body: expected a JSON array of events')
    return []
  }
  if (value.length === 0) faults.push('body: expected at least one event')
  return value.map((each: unknown) => {
    const own: string[] = []
    if (isObject(each)) return { event: readEvent(each, own), faults: own }
    own.push('event: expected a JSON object')
    return { event: NOTHING, faults: own }
  })
}

function readEvent(event: Record<string, unknown>, faults: string[]): Structured {
  const attributes: Record<string, string> = {}
  let contentType: string | undefined
  for (const [name, value] of Object.entries(event)) {
    if (name === 'data' || name === 'data_base64' || value === null) continue
    const text = attributeText(value)
    if (!/^[a-z0-9]+$/.test(name))
      faults.push(`${JSON.stringify(name.slice(0, 40))}: expected a name of letters a-z and digits`)
    else if (text === undefined) faults.push(`${name}: expected a text, a boolean or an integer of 32 bits`)
    else if (name === 'datacontenttype') contentType = text
    else attributes[name] = text
  }
  const { bytes, isJson } = readData(event, contentType, faults)
  if (isJson) contentType ??= 'application/json'
  return {
    attributes: attributes as unknown as CloudEventAttributes,
    ...(contentType !== undefined && { contentType }),
    data: bytes,
  }
}

/** Of what could not be read: one fault, not one for each attribute. */
const NOTHING: Structured = {
  attributes: { id: '-', source: '-', type: '-', specversion: '1.0' },
  data: new Uint8Array(),
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Undefined where the fault has been told. */
function parse(body: Uint8Array, expected: string, faults: string[]): unknown {
  try {
    const text = decoder.decode(body)
    const value: unknown = JSON.parse(text)
    return mayLoseDigits(value, text) ? JSON.parse(text, keepNumbers) : value
  } catch (error) {
    faults.push(`body: expected ${expected}: ${error instanceof Error ? error.message.slice(0, 120) : ''}`)
    return undefined
  }
}

/** Digits that a double may not hold, or that would be written otherwise than they came: 1.10, 1e5, -0, sixteen digits and more. */
const UNUSUAL_NUMBER = /\d{16}|[\d.]{17}|\.\d*0(?!\d)|\.0{6}|\d[eE][-+\d]|-0/

/** Asking for the source of every number makes parsing several times slower: only data that is no text can hold such a number. */
function mayLoseDigits(value: unknown, text: string): boolean {
  const events: readonly unknown[] = Array.isArray(value) ? value : [value]
  const holdsNumbers = (event: unknown) =>
    isObject(event) && event.data !== undefined && typeof event.data !== 'string'
  return events.some(holdsNumbers) && UNUSUAL_NUMBER.test(text)
}

/** ES2025 source text access: a number that a double cannot hold goes through as it was written (12345678901234567890, 1.10). */
interface RawJson {
  rawJSON(text: string): object
  isRawJSON(value: unknown): value is { readonly rawJSON: string }
}
const rawJson = JSON as typeof JSON & RawJson

function keepNumbers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number') return value
  const source = context?.source
  return source === undefined || source === String(value) ? value : rawJson.rawJSON(source)
}

/** CloudEvents type system: String, Boolean, Integer; the rest travels as String. */
function attributeText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  const number = rawJson.isRawJSON(value) ? Number(value.rawJSON) : value
  return typeof number === 'number' && Number.isInteger(number) && Math.abs(number) <= 2 ** 31 - 1
    ? String(number)
    : undefined
}

function readData(
  event: Record<string, unknown>,
  contentType: string | undefined,
  faults: string[],
): { readonly bytes: Uint8Array | string; readonly isJson: boolean } {
  const { data, data_base64: base64 } = event
  if (data !== undefined && base64 !== undefined && base64 !== null)
    faults.push('data: expected one of data and data_base64, came both')
  if (base64 !== undefined && base64 !== null) return { bytes: readBase64(base64, faults), isJson: false }
  if (data === undefined) return { bytes: new Uint8Array(), isJson: false }
  // JSON format 3.1.1: a text under a content type that is not JSON is the data itself, not its JSON form.
  if (typeof data === 'string' && contentType !== undefined && !JSON_TYPE.test(contentType))
    return { bytes: data, isJson: false }
  return { bytes: JSON.stringify(data), isJson: true }
}

function readBase64(value: unknown, faults: string[]): Uint8Array {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0) {
    try {
      return Uint8Array.from(atob(value), (character) => character.charCodeAt(0))
    } catch {
      // reported below
    }
  }
  faults.push('data_base64: expected base64 (RFC 4648, section 4)')
  return new Uint8Array()
}
