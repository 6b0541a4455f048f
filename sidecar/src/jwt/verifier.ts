/** All JwtProviders of the snapshot: which of them accept a token. Each token is verified once while it is valid. */
import { hash } from 'node:crypto'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { ProvenToken } from '@weft/schemas/policy'
import type { IndexedSnapshot, JwtProviderEntry, SnapshotSource } from '@weft/schemas/snapshot'
import { decodeJwt, type JWTPayload } from 'jose'
import { readKeys } from './jwks.ts'
import { KeySet } from './key-set.ts'
import { Provider } from './provider.ts'

export interface TokenVerifierOptions {
  readonly snapshots: SnapshotSource
  readonly metrics: Metrics
  readonly log: Log
}

interface Accepted {
  readonly token: ProvenToken
  /** Unix time in milliseconds. */
  readonly validUntil: number
}

/** Only what an issuer signed gets in here, so this bounds a busy hour, not an attack: 8 MiB of claims at the very most. */
const MAX_ACCEPTED = 1024

export class TokenVerifier {
  readonly #options: TokenVerifierOptions
  #providers = new Map<string, Provider>()
  #byIssuer: ReadonlyMap<string, readonly Provider[]> = new Map()
  /** By hash: a dump of our memory should not be a bag of tokens. Replaced, not emptied: what is on its way lands in the old one. */
  #accepted = new Map<string, Accepted>()
  #verifying = new Map<string, Promise<ProvenToken>>()
  readonly #endSubscription: () => void

  constructor(options: TokenVerifierOptions) {
    this.#options = options
    this.#adopt(options.snapshots.current())
    this.#endSubscription = options.snapshots.onChange((now) => this.#adopt(now))
  }

  /** False: no policy here asks for a token, and those that come are the app's own affair. */
  get isAsked(): boolean {
    return this.#byIssuer.size > 0
  }

  /** What was accepted before and is still valid; otherwise see `verify`. */
  known(token: string): ProvenToken | undefined {
    const accepted = this.#accepted.get(keyOf(token))
    return accepted !== undefined && Date.now() < accepted.validUntil ? accepted.token : undefined
  }

  /** Rejects with `invalid_token`, or `unavailable` where the keys cannot be had: that is not the caller's fault. */
  verify(token: string): Promise<ProvenToken> {
    const key = keyOf(token)
    const verifying = this.#verifying
    let running = verifying.get(key)
    if (running === undefined) {
      running = this.#verify(token, key).finally(() => verifying.delete(key))
      verifying.set(key, running)
    }
    return running
  }

  close(): void {
    this.#endSubscription()
  }

  async #verify(token: string, key: string): Promise<ProvenToken> {
    const accepted = this.#accepted
    const candidates = this.#candidates(token)
    const judged = await Promise.all(candidates.map((provider) => this.#judge(provider, token)))
    const claims = judged.find((each): each is JWTPayload => !(each instanceof MeshError))
    if (claims === undefined) throw MeshError.from(judged[0])
    const proven = {
      providers: candidates.filter((_, at) => !(judged[at] instanceof MeshError)).map(({ name }) => name),
      claims,
    }
    const skewMs = Math.min(...candidates.map(({ entry }) => entry.clockSkewMs))
    remember(accepted, key, { token: proven, validUntil: (claims.exp ?? 0) * 1000 + skewMs })
    return proven
  }

  /** Several providers may name one issuer: for other audiences, or with other algorithms. */
  #candidates(token: string): readonly Provider[] {
    const candidates = this.#byIssuer.get(issuerOf(token))
    if (candidates !== undefined) return candidates
    this.#count('-', 'refused')
    throw new MeshError('invalid_token', 'expected a JSON Web Token of an issuer that is known here')
  }

  async #judge(provider: Provider, token: string): Promise<JWTPayload | MeshError> {
    try {
      const claims = await provider.verify(token)
      this.#count(provider.name, 'accepted')
      return claims
    } catch (thrown) {
      const error = MeshError.from(thrown)
      this.#count(provider.name, error.code === 'invalid_token' ? 'refused' : 'no-keys')
      return error
    }
  }

  #count(provider: string, outcome: 'accepted' | 'refused' | 'no-keys'): void {
    this.#options.metrics.counter('weft_jwt_verifications_total').inc({ provider, outcome })
  }

  /** Providers that are as they were keep their keys. */
  #adopt({ snapshot }: IndexedSnapshot): void {
    const before = this.#providers
    this.#providers = new Map(
      snapshot.jwtProviders.map((entry) => {
        const key = JSON.stringify(entry)
        return [key, before.get(key) ?? this.#newProvider(entry)]
      }),
    )
    if (this.#providers.size === before.size && [...before.keys()].every((key) => this.#providers.has(key)))
      return
    this.#byIssuer = Map.groupBy(this.#providers.values(), ({ entry }) => entry.issuer)
    this.#forget()
  }

  #newProvider(entry: JwtProviderEntry): Provider {
    const { metrics, log } = this.#options
    const name = `${entry.namespace}/${entry.name}`
    const keys = new KeySet({
      name,
      read: () => readKeys(entry.jwks),
      refreshMs: entry.refreshMs,
      maxStaleMs: entry.maxStaleMs,
      // A key that was withdrawn takes with it what it had signed.
      onKeys: () => this.#forget(),
      onRead(error) {
        metrics
          .counter('weft_jwks_reads_total')
          .inc({ provider: name, outcome: error === undefined ? 'ok' : 'failed' })
        if (error !== undefined)
          log.warn({ provider: name, reason: error.message }, 'no new keys of an issuer')
      },
    })
    return new Provider(entry, keys)
  }

  #forget(): void {
    this.#accepted = new Map()
    this.#verifying = new Map()
  }
}

const keyOf = (token: string): string => hash('sha256', token, 'base64')

/** Read before anything is proven, and only to find the provider that will prove it. */
function issuerOf(token: string): string {
  try {
    return decodeJwt(token).iss ?? ''
  } catch {
    return ''
  }
}

/** The oldest goes: most tokens live as long as each other. */
function remember(accepted: Map<string, Accepted>, key: string, entry: Accepted): void {
  if (accepted.size >= MAX_ACCEPTED)
    for (const oldest of accepted.keys()) {
      accepted.delete(oldest)
      break
    }
  accepted.set(key, entry)
}
