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
  readonly data: Uint8Array
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const JSON_TYPE = /^[^;]*[/+]json\s*(?:;|$)/i

/** Reads the event; what is wrong is appended to `faults`, and then the result means nothing. */
export function readStructured(body: Uint8Array, faults: string[]): Structured {
  const attributes: Record<string, string> = {}
  const event = parseObject(body, faults)
  // Nothing can be said of attributes that could not be read: one fault, not five.
  if (event === undefined) return { attributes: PLACEHOLDER, data: new Uint8Array() }
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

const PLACEHOLDER: CloudEventAttributes = { id: '-', source: '-', type: '-', specversion: '1.0' }

function parseObject(body: Uint8Array, faults: string[]): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(body), keepNumbers)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>
    faults.push('body: expected a JSON object')
  } catch (error) {
    faults.push(`body: expected a JSON object: ${error instanceof Error ? error.message.slice(0, 120) : ''}`)
  }
  return undefined
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
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 31 - 1
    ? String(value)
    : undefined
}

function readData(
  event: Record<string, unknown>,
  contentType: string | undefined,
  faults: string[],
): { readonly bytes: Uint8Array; readonly isJson: boolean } {
  const { data, data_base64: base64 } = event
  if (data !== undefined && base64 !== undefined && base64 !== null)
    faults.push('data: expected one of data and data_base64, came both')
  if (base64 !== undefined && base64 !== null) return { bytes: readBase64(base64, faults), isJson: false }
  if (data === undefined) return { bytes: new Uint8Array(), isJson: false }
  // JSON format 3.1.1: a text under a content type that is not JSON is the data itself, not its JSON form.
  if (typeof data === 'string' && contentType !== undefined && !JSON_TYPE.test(contentType))
    return { bytes: encoder.encode(data), isJson: false }
  return { bytes: encoder.encode(JSON.stringify(data)), isJson: true }
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
