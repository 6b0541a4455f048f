/**
 * What outlives a snapshot for one service: its connections, counts and retry budget. The handlers above it are built
 * anew for each snapshot; what they share lives here, keyed by address, port and identity.
 */
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Endpoint, ServiceEntry } from '@weft/schemas/snapshot'
import { Pool, type PoolBudget } from '../transport/http1/pool.ts'
import type { BalancedEndpoint } from './balance.ts'
import { dialEndpoint } from './dial.ts'
import { RetryBudget } from './retry-budget.ts'

/** Below the 75 s after which the inbound side of the peer would close: see client-connection.ts. */
const IDLE_TIMEOUT_MS = 60_000

interface PooledEndpoint extends BalancedEndpoint {
  readonly pool: Pool
}

export class Cluster {
  readonly retryBudget: RetryBudget
  readonly #identity: IdentitySource
  readonly #poolBudget: PoolBudget
  #endpoints = new Map<string, PooledEndpoint>()
  readonly #leaving = new Set<Pool>()

  constructor(service: ServiceEntry, identity: IdentitySource) {
    const { traffic } = service
    this.#identity = identity
    this.retryBudget = new RetryBudget(traffic.retry)
    this.#poolBudget = {
      maxConnections: traffic.maxConnections,
      maxWaiting: traffic.maxPendingRequests,
      connectTimeoutMs: traffic.connectTimeoutMs,
      connections: 0,
      waiting: 0,
    }
    this.update(service)
  }

  get endpoints(): readonly BalancedEndpoint[] {
    return [...this.#endpoints.values()]
  }

  /** Takes over what a new snapshot says; endpoints that are gone from it end in peace. */
  update({ name, traffic, endpoints }: ServiceEntry): void {
    this.retryBudget.settings = traffic.retry
    this.#poolBudget.maxConnections = traffic.maxConnections
    this.#poolBudget.maxWaiting = traffic.maxPendingRequests
    this.#poolBudget.connectTimeoutMs = traffic.connectTimeoutMs
    const before = this.#endpoints
    this.#endpoints = new Map()
    for (const endpoint of endpoints) {
      const key = `${endpoint.address} ${endpoint.port} ${endpoint.identity}`
      this.#endpoints.set(key, before.get(key) ?? this.#newEndpoint(name, key, endpoint))
      before.delete(key)
    }
    for (const { pool } of before.values()) void this.#leave(pool)
  }

  retire(): void {
    for (const { pool } of this.#endpoints.values()) pool.retire()
  }

  dropExpired(now: number): void {
    for (const { pool } of this.#endpoints.values()) pool.dropExpired(now)
  }

  /** Idle connections at once, the others after what they carry. */
  async close(): Promise<void> {
    for (const { pool } of this.#endpoints.values()) this.#leaving.add(pool)
    this.#endpoints.clear()
    await Promise.all([...this.#leaving].map((pool) => this.#leave(pool)))
  }

  async #leave(pool: Pool): Promise<void> {
    this.#leaving.add(pool)
    await pool.close()
    this.#leaving.delete(pool)
  }

  #newEndpoint(serviceName: string, key: string, endpoint: Endpoint): PooledEndpoint {
    const pool = new Pool({
      name: `${serviceName} at ${endpoint.address}:${endpoint.port}`,
      dial: dialEndpoint(endpoint, this.#identity),
      budget: this.#poolBudget,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    })
    return { key, identity: endpoint.identity, pool, active: 0, latencyMs: 0 }
  }
}
