/**
 * The addresses of one name, as DNS said last. They are asked for again when they are old, by whoever needs them next; while
 * DNS does not answer, the old ones hold: a name server that is down must not take everything down that it once named.
 */
import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { Resolver } from 'node:dns/promises'

/** A name with its addresses, and for how long they are good. */
export interface Resolution {
  readonly addresses: readonly LookupAddress[]
  readonly ttlMs: number
}

export type Resolve = (host: string) => Promise<Resolution>

export interface AddressesOptions {
  readonly host: string
  readonly resolve: Resolve
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
}

/** Below it, a name server that says 0 would be asked for every connection; above the other, a move would be noticed too late. */
const MIN_TTL_MS = 5_000
const MAX_TTL_MS = 300_000
/** The system's resolver does not tell: as long as Envoy and the JVM keep its answers. */
const UNTOLD_TTL_MS = 30_000
/** Somewhat old addresses are used at once, and asked for beside it; older ones are waited for. */
const MAX_UNASKED_MS = 60_000
/** After a failure, so that not every connection asks a name server that is down. */
const RETRY_MS = 2_000

export class Addresses {
  readonly #options: AddressesOptions
  readonly #now: () => number
  #addresses: readonly LookupAddress[] | undefined
  #goodUntil = Number.NEGATIVE_INFINITY
  #askAgainAt = Number.NEGATIVE_INFINITY
  #failure: unknown
  #asking: Promise<void> | undefined

  constructor(options: AddressesOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /** At least one address. Rejects with what DNS said where there was never one. */
  async current(): Promise<readonly LookupAddress[]> {
    const now = this.#now()
    if (now >= this.#goodUntil) {
      const asked = this.#ask(now)
      if (this.#addresses === undefined || now >= this.#goodUntil + MAX_UNASKED_MS) await asked
    }
    if (this.#addresses === undefined) throw this.#failure
    return this.#addresses
  }

  /** Never rejects: while it fails, what is known holds. */
  #ask(now: number): Promise<void> {
    if (this.#asking === undefined && now < this.#askAgainAt) return Promise.resolve()
    this.#asking ??= this.#askNow().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  async #askNow(): Promise<void> {
    const { host, resolve } = this.#options
    this.#askAgainAt = this.#now() + RETRY_MS
    try {
      const { addresses, ttlMs } = await resolve(host)
      if (addresses.length === 0) throw new Error(`no address for ${host}`)
      this.#addresses = addresses
      this.#goodUntil = this.#now() + Math.min(MAX_TTL_MS, Math.max(MIN_TTL_MS, ttlMs))
    } catch (error) {
      this.#failure = error
    }
  }
}

const DNS_TIMEOUT_MS = 2_000
const DNS_TRIES = 2

/**
 * Asks the name servers, whose answers have a lifetime, and where these know nothing the system, which also reads its hosts file
 * and completes short names. `servers` (`address:port`): others than those of the system.
 */
export function systemResolve(servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: DNS_TRIES })
  if (servers !== undefined) resolver.setServers(servers)
  return async (host) => {
    // Names without a dot are never in the public DNS, and localhost must not be asked for there (RFC 6761).
    if (!host.includes('.') || host.endsWith('.localhost')) return await fromSystem(host)
    const [ipv6, ipv4] = await Promise.allSettled([
      resolver.resolve6(host, { ttl: true }),
      resolver.resolve4(host, { ttl: true }),
    ])
    const found = [
      ...(ipv6.status === 'fulfilled' ? ipv6.value.map((record) => ({ ...record, family: 6 })) : []),
      ...(ipv4.status === 'fulfilled' ? ipv4.value.map((record) => ({ ...record, family: 4 })) : []),
    ]
    if (found.length === 0) return await fromSystem(host)
    return {
      addresses: found.map(({ address, family }) => ({ address, family })),
      ttlMs: Math.min(...found.map(({ ttl }) => ttl)) * 1000,
    }
  }
}

function fromSystem(host: string): Promise<Resolution> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true, order: 'verbatim' }, (error, addresses) => {
      if (error === null) resolve({ addresses, ttlMs: UNTOLD_TTL_MS })
      else reject(error)
    })
  })
}
