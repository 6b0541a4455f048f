/**
 * What outlives a snapshot for one service: its connections, counts and retry budget. The handlers above it are built
 * anew for each snapshot; what they share lives here, keyed by address, port and identity.
 */
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Endpoint, ServiceEntry } from '@weft/schemas/snapshot'
import { Pool, type PoolBudget } from '../transport/pool.ts'
import { Balancer } from './balance/balancer.ts'
import { dialEndpoint } from './dial.ts'
import { endpointKey, LiveEndpoint } from './endpoint.ts'
import { systemResolve } from './external/addresses.ts'
import { dialExternal } from './external/dial.ts'
import { HealthChecker } from './health/checker.ts'
import type { ProbeTarget } from './health/probe.ts'
import type { RequestCount } from './limits.ts'
import type { Outcome } from './outcome.ts'
import { type EjectionReason, OutlierDetector } from './outlier.ts'
import { RetryBudget } from './retry-budget.ts'

export interface ClusterOptions {
  readonly identity: IdentitySource
  readonly onEjected: (service: ServiceEntry, reason: EjectionReason) => void
  readonly onChecked: (service: ServiceEntry, outcome: 'passed' | 'failed') => void
}

const RESOLVE = systemResolve()

interface Member {
  readonly live: LiveEndpoint
  readonly pool: Pool
  readonly target: ProbeTarget
}

export class Cluster {
  readonly retryBudget: RetryBudget
  readonly balancer = new Balancer()
  readonly requests: RequestCount = { active: 0 }
  readonly #options: ClusterOptions
  readonly #poolBudget: PoolBudget
  readonly #outliers: OutlierDetector
  readonly #checker: HealthChecker
  #service: ServiceEntry
  #members = new Map<string, Member>()
  #endpoints: readonly LiveEndpoint[] = []
  readonly #leaving = new Set<Pool>()

  /** `zone`: of the caller. */
  constructor(service: ServiceEntry, zone: string | undefined, options: ClusterOptions) {
    const { traffic } = service
    this.#options = options
    this.#service = service
    this.retryBudget = new RetryBudget(traffic.retry)
    this.#poolBudget = {
      maxConnections: traffic.maxConnections,
      maxWaiting: traffic.maxPendingRequests,
      connectTimeoutMs: traffic.connectTimeoutMs,
      connections: 0,
      waiting: 0,
    }
    this.#outliers = new OutlierDetector({
      settings: traffic.outlierDetection,
      endpoints: () => this.#endpoints,
      onChange: () => this.balancer.refresh(),
      onEjected: (reason) => options.onEjected(this.#service, reason),
    })
    this.#checker = new HealthChecker({
      onChange: () => this.balancer.refresh(),
      onChecked: (outcome) => options.onChecked(this.#service, outcome),
    })
    this.#adopt(service, zone, Number.NEGATIVE_INFINITY)
  }

  get endpoints(): readonly LiveEndpoint[] {
    return this.#endpoints
  }

  /** Takes over what a new snapshot says; endpoints that are gone from it end in peace. */
  update(service: ServiceEntry, zone: string | undefined): void {
    const { traffic } = service
    this.retryBudget.settings = traffic.retry
    this.#poolBudget.maxConnections = traffic.maxConnections
    this.#poolBudget.maxWaiting = traffic.maxPendingRequests
    this.#poolBudget.connectTimeoutMs = traffic.connectTimeoutMs
    this.#outliers.update(traffic.outlierDetection)
    this.#adopt(service, zone, performance.now())
  }

  /** How an attempt ended. */
  record(endpoint: LiveEndpoint, outcome: Outcome): void {
    if (!endpoint.hasLeft) this.#outliers.record(endpoint, outcome)
  }

  get service(): ServiceEntry {
    return this.#service
  }

  retire(): void {
    for (const { pool } of this.#members.values()) pool.retire()
  }

  dropExpired(now: number): void {
    for (const { pool } of this.#members.values()) pool.dropExpired(now)
  }

  /** Idle connections at once, the others after what they carry. */
  async close(): Promise<void> {
    for (const { live, pool } of this.#members.values()) {
      this.#forget(live)
      this.#leaving.add(pool)
    }
    this.#members.clear()
    this.#outliers.close()
    this.#checker.close()
    await Promise.all([...this.#leaving].map((pool) => this.#leave(pool)))
  }

  #adopt(service: ServiceEntry, zone: string | undefined, joinedAt: number): void {
    const { traffic, endpoints, external } = service
    // Where TLS has changed, connections that were made before are others.
    const proof = external === undefined ? '' : JSON.stringify(external)
    const before = this.#members
    this.#service = service
    this.#members = new Map()
    for (const endpoint of endpoints) {
      const key = `${endpointKey(endpoint)}${proof}`
      const member = before.get(key) ?? this.#newMember(endpoint, joinedAt)
      member.live.update(endpoint)
      this.#members.set(key, member)
      before.delete(key)
    }
    for (const { live, pool } of before.values()) {
      this.#forget(live)
      void this.#leave(pool)
    }
    this.#endpoints = [...this.#members.values()].map(({ live }) => live)
    const { loadBalancing, subsets } = traffic
    const sourceIdentity = this.#options.identity.current().spiffeId.uri
    this.balancer.update({ loadBalancing, subsets, zone, sourceIdentity }, this.#endpoints)
    this.#checker.update(
      traffic.healthCheck,
      [...this.#members.values()].map(({ target }) => target),
    )
  }

  #forget(live: LiveEndpoint): void {
    live.hasLeft = true
    this.#outliers.forget(live)
  }

  async #leave(pool: Pool): Promise<void> {
    this.#leaving.add(pool)
    await pool.close()
    this.#leaving.delete(pool)
  }

  #newMember(endpoint: Endpoint, joinedAt: number): Member {
    const { name, hosts, external } = this.#service
    const dial =
      external === undefined
        ? dialEndpoint(endpoint, this.#options.identity)
        : dialExternal(endpoint, external, RESOLVE)
    const idleTimeoutMs = (): number => this.#service.traffic.idleTimeoutMs
    const pool = new Pool({
      name: `${name} at ${endpoint.address}:${endpoint.port}`,
      dial,
      protocol: 'alpn',
      budget: this.#poolBudget,
      // As the budget: what a later snapshot says holds for the connections that there are.
      get idleTimeoutMs() {
        return idleTimeoutMs()
      },
    })
    const live = new LiveEndpoint(endpoint, pool, joinedAt)
    return { live, pool, target: { endpoint: live, dial, authority: hosts[0] ?? name } }
  }
}
