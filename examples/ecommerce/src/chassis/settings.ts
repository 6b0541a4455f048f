import { join } from 'node:path'

/** Thrown once with every fault of the environment, so that one start shows them all. */
class SettingsError extends Error {}

export type Environment = Readonly<Record<string, string | undefined>>

/** What every service of the shop is told by its environment. */
export interface CommonSettings {
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Folder of the SQLite file; made when it is not there. */
  readonly dataDir: string
  readonly logLevel: string
}

/** Reads variables and collects what is wrong with them; `complete` throws it all at once. */
export class SettingsReader {
  readonly #environment: Environment
  readonly #faults: string[] = []

  constructor(environment: Environment) {
    this.#environment = environment
  }

  common(service: string, defaultPort: number): CommonSettings {
    return {
      port: this.#port('PORT', defaultPort),
      dataDir: this.text(['DATA_DIR', 'WEFT_DATA_DIR']) ?? join(process.cwd(), '.data', service),
      logLevel: this.#logLevel(),
    }
  }

  /** The first of the variables that is set. */
  text(names: readonly string[]): string | undefined {
    return names.map((name) => this.#environment[name]).find((value) => value !== undefined && value !== '')
  }

  /** An http(s) URL without its last slash. */
  url(names: readonly string[]): string | undefined {
    const value = this.text(names)
    if (value === undefined) return undefined
    if (!/^https?:$/.test(URL.parse(value)?.protocol ?? '')) this.#fault(names, 'an http or https URL', value)
    return value.replace(/\/+$/, '')
  }

  requiredUrl(names: readonly string[]): string {
    const value = this.url(names)
    if (value === undefined) this.#fault(names, 'an http or https URL', undefined)
    return value ?? ''
  }

  /** One or more `host:port`, separated by commas. */
  requiredAddresses(names: readonly string[]): readonly string[] {
    const value = this.text(names)
    const addresses = (value ?? '').split(',').map((address) => address.trim())
    if (!addresses.every((address) => /^[^\s:]+:\d{1,5}$/.test(address)))
      this.#fault(names, 'host:port, several separated by commas', value)
    return addresses
  }

  complete<T>(settings: T): T {
    if (this.#faults.length > 0) throw new SettingsError(`settings:\n  ${this.#faults.join('\n  ')}`)
    return settings
  }

  #port(name: string, fallback: number): number {
    const value = this.text([name])
    if (value === undefined) return fallback
    const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
    if (!(port <= 65_535)) this.#fault([name], 'a port from 0 to 65535', value)
    return port
  }

  #logLevel(): string {
    const value = this.text(['LOG_LEVEL']) ?? 'info'
    const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']
    if (!levels.includes(value)) this.#fault(['LOG_LEVEL'], levels.join(', '), value)
    return value
  }

  #fault(names: readonly string[], expected: string, came: string | undefined): void {
    const what = came === undefined ? 'it is not set' : `it is ${JSON.stringify(came)}`
    this.#faults.push(`${names.join(' or ')}: expected ${expected}; ${what}`)
  }
}
