/** Reads a process's settings from its environment once, reports every fault at once, and returns a complete object. */

/** Reads one variable. Throws an Error whose message says what was expected. */
export type Reader<T> = (raw: string | undefined) => T

export class ConfigError extends Error {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    super(
      `the configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n  ${faults.join('\n  ')}`,
    )
    this.name = 'ConfigError'
    this.faults = faults
  }
}

export type ConfigShape = Readonly<Record<string, readonly [variable: string, read: Reader<unknown>]>>
export type ConfigOf<Shape extends ConfigShape> = { readonly [Key in keyof Shape]: ReturnType<Shape[Key][1]> }

/** `{ portHttp: ['WEFT_PORT', port(15001)] }` and an environment → `{ portHttp: 15001 }`; throws ConfigError with all faults. */
export function readConfig<Shape extends ConfigShape>(
  shape: Shape,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigOf<Shape> {
  const faults: string[] = []
  const values: Record<string, unknown> = {}
  for (const [key, [variable, read]] of Object.entries(shape)) {
    const raw = environment[variable] === '' ? undefined : environment[variable]
    try {
      values[key] = read(raw)
    } catch (error) {
      const came = raw === undefined ? 'it is not set' : `it is ${JSON.stringify(raw)}`
      faults.push(`${variable}: expected ${error instanceof Error ? error.message : String(error)}; ${came}`)
    }
  }
  if (faults.length > 0) throw new ConfigError(faults)
  return values as ConfigOf<Shape>
}

const orDefault =
  <T>(fallback: T | undefined, expected: string, parse: (raw: string) => T | undefined): Reader<T> =>
  (raw) => {
    const value = raw === undefined ? fallback : parse(raw)
    if (value === undefined) throw new Error(expected)
    return value
  }

const integer = (least: number, most: number) => (raw: string) => {
  const value = /^\d{1,15}$/.test(raw) ? Number(raw) : Number.NaN
  return value >= least && value <= most ? value : undefined
}

/** A string; required where no default is given. */
export const text = (fallback?: string): Reader<string> => orDefault(fallback, 'a text', (raw) => raw)
/** A string or undefined. */
export const optionalText: Reader<string | undefined> = (raw) => raw
/** One of these words; the first where none is given. */
export const choice = <Word extends string>(first: Word, ...others: readonly Word[]): Reader<Word> =>
  orDefault<Word>(first, [first, ...others].join(' or '), (raw) =>
    [first, ...others].find((word) => word === raw),
  )
/** A TCP port, 0 (any free one) to 65535. */
export const port = (fallback?: number): Reader<number> =>
  orDefault(fallback, 'a port from 0 to 65535', integer(0, 65_535))
export const optionalPort: Reader<number | undefined> = (raw) => (raw === undefined ? undefined : port()(raw))
/** Whole milliseconds, up to a day. */
export const durationMs = (fallback: number): Reader<number> =>
  orDefault(fallback, 'milliseconds, 0 to 86400000', integer(0, 86_400_000))
/** A count from 1 up to a billion. */
export const count = (fallback: number): Reader<number> =>
  orDefault(fallback, 'a whole number from 1', integer(1, 1_000_000_000))
/** `host:port`, IPv6 hosts in brackets. */
export const address = (fallback?: string): Reader<string> =>
  orDefault(fallback, 'an address as host:port', (raw) =>
    /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/.test(raw) ? raw : undefined,
  )
/** An absolute http or https URL. */
export const optionalUrl: Reader<string | undefined> = (raw) => {
  if (raw === undefined) return undefined
  if (!/^https?:$/.test(URL.parse(raw)?.protocol ?? '')) throw new Error('an http or https URL')
  return raw
}
