/** What is known of one endpoint, over all snapshots that have it. It dies with the endpoint. */
import { type Endpoint, ZONE_LABEL } from '@weft/schemas/snapshot'
import type { Service } from '../transport/exchange.ts'
import { PeakEwma } from './balance/peak-ewma.ts'
import { newOutlierState } from './outlier-state.ts'

export class LiveEndpoint {
  /** Address, port and identity: what makes it this one. */
  readonly key: string
  /** `host:port`, for people. */
  readonly address: string
  readonly identity: string
  /** Its connections. */
  readonly pool: Service
  /** `performance.now()` since which it takes part; -Infinity for those that were there first. */
  joinedAt: number
  /** Requests that it has not answered whole. */
  active = 0
  readonly latency = new PeakEwma()
  /** Its service has it no more: what it still answers is nobody's concern. */
  hasLeft = false
  /** Kept by outlier.ts. */
  readonly outlier = newOutlierState()
  /** Kept by health/checker.ts: why it is not chosen; undefined while its checks pass, or there are none. */
  failedCheck: string | undefined
  #labels: Endpoint['labels']
  #weight: number

  constructor(endpoint: Endpoint, pool: Service, joinedAt: number) {
    this.key = endpointKey(endpoint)
    this.address = `${endpoint.address}:${endpoint.port}`
    this.identity = endpoint.identity
    this.pool = pool
    this.joinedAt = joinedAt
    this.#labels = endpoint.labels
    this.#weight = endpoint.weight ?? 1
  }

  /** Labels and weight may change while it stays the same one. */
  update({ labels, weight = 1 }: Endpoint): void {
    this.#labels = labels
    this.#weight = weight
  }

  get weight(): number {
    return this.#weight
  }

  get labels(): Endpoint['labels'] {
    return this.#labels
  }

  get zone(): string | undefined {
    return this.#labels[ZONE_LABEL]
  }

  get isHealthy(): boolean {
    return this.failedCheck === undefined && this.outlier.ejectedBecause === undefined
  }
}

export const endpointKey = ({ address, port, identity }: Endpoint): string => `${address} ${port} ${identity}`
