import { setTimeout as sleep } from 'node:timers/promises'
import { createSecureContext } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { type IdentitySource, secureContext, type WorkloadIdentity } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import { type Backoff, backoffMs } from './backoff.ts'
import { type JoinToken, parseJoinToken } from './join-token.ts'
import { newKeyPair } from './key-pair.ts'
import { fetchPinnedRoot, type PinnedRoot } from './pinned-root.ts'
import { requestCertificate } from './request-certificate.ts'

export interface IdentityOptions {
  /** `host:port` of the control plane's gRPC. */
  readonly controlPlane: string
  readonly joinToken: string
  readonly log: Log
  readonly metrics: Metrics
  /** Gives up joining. */
  readonly signal?: AbortSignal
}

/** How the certificate in use stands; `since` is when it came to that. */
export type IdentityState =
  | { readonly state: 'valid' }
  | { readonly state: 'renewal-failing'; readonly since: Date; readonly reason: string }
  /** Peers refuse it, the control plane too: only a new join token helps. */
  | { readonly state: 'expired'; readonly since: Date; readonly reason: string }

export interface RunningIdentity extends IdentitySource {
  readonly controlPlaneRootPem: string
  state(): IdentityState
  /** Ends renewal; the identity in use stays readable. */
  close(): void
}

/** The control plane often starts a moment later than its sidecars. */
const JOIN_BACKOFF: Backoff = { baseMs: 100, maxMs: 5_000 }
/** Half a lifetime is left when the first try fails. */
const RENEWAL_BACKOFF: Backoff = { baseMs: 500, maxMs: 30_000 }
/** Longest delay that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * Joins with the token and keeps the certificate fresh. Waits for a control plane that is not there, for as long as it
 * takes; rejects with MeshError `unauthenticated` where the token is refused, `peer_identity` where somebody else
 * answers, and with the reason of `signal`.
 */
export async function startIdentity(options: IdentityOptions): Promise<RunningIdentity> {
  const token = parseJoinToken(options.joinToken)
  const { root, identity } = await join(options, token)
  options.log.info(
    { identity: identity.spiffeId.uri, controlPlane: options.controlPlane, expiresAt: identity.expiresAt },
    'joined the mesh',
  )
  return new Renewal(options, root, identity)
}

async function join(options: IdentityOptions, token: JoinToken) {
  const { controlPlane, log } = options
  const signal = options.signal ?? new AbortController().signal
  // One key for all tries: where the answer got lost, the token stays good for this key and for no other.
  const keys = newKeyPair()
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted()
    try {
      const root = await fetchPinnedRoot({ controlPlane, rootHash: token.rootHash, signal })
      const context = createSecureContext({ ca: root.pem, minVersion: 'TLSv1.3' })
      const { trustDomain } = root
      const joinToken = token.text
      return {
        root,
        identity: await requestCertificate({ controlPlane, trustDomain, context, joinToken, keys, signal }),
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof MeshError && error.code !== 'unavailable') throw error
      const nextTryMs = Math.round(backoffMs(JOIN_BACKOFF, attempt))
      log.warn({ controlPlane, reason: reasonOf(error), nextTryMs }, 'cannot join yet: trying again')
      await sleep(nextTryMs, undefined, { signal })
    }
  }
}

/** Half of what is left, give or take a tenth, so that sidecars that started together do not renew together. */
export const renewalDelayMs = (leftMs: number, random: number = Math.random()): number =>
  Math.max(0, Math.min((leftMs / 2) * (0.9 + 0.2 * random), MAX_TIMER_MS))

class Renewal implements RunningIdentity {
  readonly controlPlaneRootPem: string
  readonly #options: IdentityOptions
  readonly #listeners = new Set<(now: WorkloadIdentity) => void>()
  readonly #stop = new AbortController()
  #current: WorkloadIdentity
  #state: IdentityState = { state: 'valid' }

  constructor(options: IdentityOptions, root: PinnedRoot, identity: WorkloadIdentity) {
    this.controlPlaneRootPem = root.pem
    this.#options = options
    this.#current = identity
    this.#showExpiry()
    void this.#run()
  }

  current(): WorkloadIdentity {
    return this.#current
  }

  state(): IdentityState {
    return this.#state
  }

  onRotate(listener: (now: WorkloadIdentity) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    this.#stop.abort()
  }

  async #run(): Promise<void> {
    try {
      while (await this.#renewOnce()) this.#announce()
    } catch (error) {
      if (!this.#stop.signal.aborted) throw error
    }
  }

  /** False when the certificate ended before a new one came. */
  async #renewOnce(): Promise<boolean> {
    const { log, controlPlane } = this.#options
    const { signal } = this.#stop
    const { spiffeId, expiresAt } = this.#current
    const leftMs = () => expiresAt.getTime() - Date.now()
    await sleep(renewalDelayMs(leftMs()), undefined, { signal })
    for (let attempt = 0; leftMs() > 0; attempt++) {
      try {
        this.#current = await this.#request()
        this.#state = { state: 'valid' }
        return true
      } catch (error) {
        signal.throwIfAborted()
        const reason = reasonOf(error)
        const nextTryMs = Math.round(Math.min(backoffMs(RENEWAL_BACKOFF, attempt), Math.max(0, leftMs())))
        const since = this.#state.state === 'valid' ? new Date() : this.#state.since
        this.#state = { state: 'renewal-failing', since, reason }
        log.warn(
          { controlPlane, reason, nextTryMs, expiresAt },
          'cannot renew the certificate yet: trying again',
        )
        await sleep(nextTryMs, undefined, { signal })
      }
    }
    const reason = `the certificate of ${spiffeId.uri} ended before the control plane at ${controlPlane} renewed it`
    this.#state = { state: 'expired', since: expiresAt, reason }
    log.error({ controlPlane, expiresAt }, `${reason}: restart the sidecar with a new join token`)
    return false
  }

  /** A new key each time, proven by the certificate in use; the new bundle counts from then on. */
  async #request(): Promise<WorkloadIdentity> {
    const fresh = await requestCertificate({
      controlPlane: this.#options.controlPlane,
      trustDomain: this.#current.spiffeId.trustDomain,
      context: secureContext(this.#current),
      keys: newKeyPair(),
      signal: this.#stop.signal,
    })
    if (fresh.spiffeId.uri !== this.#current.spiffeId.uri)
      throw new MeshError('unavailable', `the new certificate names ${fresh.spiffeId.uri}`)
    return fresh
  }

  #announce(): void {
    const { log } = this.#options
    this.#showExpiry()
    log.info({ expiresAt: this.#current.expiresAt }, 'certificate renewed')
    for (const listener of this.#listeners) {
      try {
        listener(this.#current)
      } catch (error) {
        log.error({ error }, 'a listener of the identity failed')
      }
    }
  }

  #showExpiry(): void {
    this.#options.metrics
      .gauge('weft_certificate_expiry_seconds')
      .set(Math.floor(this.#current.expiresAt.getTime() / 1000))
  }
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error)
