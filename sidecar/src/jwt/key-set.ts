/**
 * The keys of one issuer, and how old they may get.
 *
 *   none ──first token──▶ fresh ──refreshMs──▶ ageing: used, and read again beside it ──maxStaleMs──▶ none
 *
 * An issuer that is down is not everybody locked out: the keys that it last published hold for a while.
 */
import { MeshError } from '@weft/schemas/error'
import type { Keys } from './jwks.ts'

export interface KeySetOptions {
  /** For messages and counts: `default/accounts`. */
  readonly name: string
  readonly read: () => Promise<Keys>
  readonly refreshMs: number
  readonly maxStaleMs: number
  /** Other keys than before hold from now on; not called for the first ones. */
  readonly onKeys: () => void
  /** `error` undefined: it worked. */
  readonly onRead: (error: Error | undefined) => void
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/** Who sends tokens with made-up key ids must not make us call the issuer for each of them. */
const COOLDOWN_MS = 30_000
/** Without any key nobody gets in: worth asking more often. */
const RETRY_MS = 1_000

export class KeySet {
  readonly #options: KeySetOptions
  readonly #now: () => number
  #keys: Keys | undefined
  /** What was last read, as text: most reads bring what is known. */
  #published = ''
  #readAt = Number.NEGATIVE_INFINITY
  #triedAt = Number.NEGATIVE_INFINITY
  #reading: Promise<void> | undefined

  constructor(options: KeySetOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** Keys that hold now. Rejects with `unavailable` where there are none. */
  async current(): Promise<Keys> {
    const { name, refreshMs, maxStaleMs } = this.#options
    const age = this.#now() - this.#readAt
    if (age >= maxStaleMs) {
      this.#keys = undefined
      await this.#read(RETRY_MS)
    } else if (age >= refreshMs) void this.#read(COOLDOWN_MS)
    if (this.#keys === undefined)
      throw new MeshError('unavailable', `expected the keys of JwtProvider ${name}; they cannot be read`)
    return this.#keys
  }

  /** For a token whose key is not among these: reads again, unless that was just done, and gives what holds then. */
  async renewed(): Promise<Keys> {
    await this.#read(COOLDOWN_MS)
    return this.current()
  }

  /** Never rejects: what went wrong is reported, and the keys stay as they are. */
  #read(pauseMs: number): Promise<void> {
    if (this.#reading === undefined && this.#now() - this.#triedAt < pauseMs) return Promise.resolve()
    this.#reading ??= this.#readNow().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  #adopt(keys: Keys): void {
    const before = this.#published
    this.#keys = keys
    this.#readAt = this.#now()
    this.#published = JSON.stringify(keys.jwks())
    if (before !== '' && before !== this.#published) this.#options.onKeys()
  }

  async #readNow(): Promise<void> {
    const { read, onRead } = this.#options
    this.#triedAt = this.#now()
    try {
      this.#adopt(await read())
      onRead(undefined)
    } catch (error) {
      onRead(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
