import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { BrokerAddress } from '../../connect-broker.ts'
import { METADATA } from '../../wire/03-metadata.ts'
import { NO_TAGS } from '../../wire/reader.ts'
import type { BrokerClient } from '../broker/client.ts'

/** What the cluster says of the topics that are produced to. */
export interface ClusterView {
  readonly brokers: ReadonlyMap<number, BrokerAddress>
  /** Leader by partition; undefined where there is none now. A topic that the cluster does not know is not in here. */
  readonly leaders: ReadonlyMap<string, readonly (number | undefined)[]>
}

export interface MetadataOptions {
  readonly bootstrapServers: readonly BrokerAddress[]
  readonly open: (address: BrokerAddress, onClose: (closed: BrokerClient) => void) => Promise<BrokerClient>
  readonly topics: () => readonly string[]
  /** True where the view has all that is needed; else it is asked for again. */
  readonly onView: (view: ClusterView) => boolean
  readonly log: Log
}

/** Partitions that were added are seen after this, as in the Java client (metadata.max.age.ms). */
const MAX_AGE_MS = 300_000
const RETRY_BASE_MS = 50
const RETRY_MAX_MS = 1_000

/** Asks who leads what: when something is missing until it is there, and from time to time. */
export class Metadata {
  readonly #options: MetadataOptions
  readonly #refreshing: NodeJS.Timeout
  #known: readonly BrokerAddress[] = []
  #client: BrokerClient | undefined
  #isAsking = false
  #isAskedAgain = false
  #isClosed = false

  constructor(options: MetadataOptions) {
    this.#options = options
    this.#refreshing = setInterval(() => this.refresh(), MAX_AGE_MS)
    this.#refreshing.unref()
  }

  /** Asks now, or once more when the answer on its way has come. */
  refresh(): void {
    if (this.#isAsking) this.#isAskedAgain = true
    else void this.#ask()
  }

  /** The next question goes over a new connection. */
  reconnect(): void {
    this.#client?.close()
    this.#client = undefined
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#refreshing)
    this.reconnect()
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    for (let failures = 0; !this.#isClosed; failures++) {
      this.#isAskedAgain = false
      let isComplete = false
      try {
        isComplete = this.#options.onView(await this.#askOnce(failures))
      } catch (error) {
        this.reconnect()
        this.#options.log.debug({ error }, 'no metadata from Kafka yet')
      }
      if (isComplete && !this.#isAskedAgain) break
      await sleep(retryMs(failures), undefined, { ref: false })
    }
    this.#isAsking = false
  }

  async #askOnce(attempt: number): Promise<ClusterView> {
    const client = await this.#connection(attempt)
    const topics = this.#options.topics()
    const answer = await client.ask(METADATA, {
      topics: topics.map((name) => ({ topicId: NO_ID, name, tags: NO_TAGS })),
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
      tags: NO_TAGS,
    })
    const brokers = new Map(answer.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
    this.#known = [...brokers.values()]
    const leaders = new Map<string, readonly (number | undefined)[]>()
    for (const { name, errorCode, partitions } of answer.topics) {
      if (name === null || errorCode !== 0 || partitions.length === 0) continue
      const byIndex = new Array<number | undefined>(partitions.length).fill(undefined)
      for (const { index, leaderId } of partitions)
        if (index < byIndex.length && brokers.has(leaderId)) byIndex[index] = leaderId
      leaders.set(name, byIndex)
    }
    return { brokers, leaders }
  }

  /** Any broker will do; the next one after each failure, those that were configured first. */
  async #connection(attempt: number): Promise<BrokerClient> {
    if (this.#client !== undefined) return this.#client
    const candidates = [...this.#options.bootstrapServers, ...this.#known]
    const address = candidates[attempt % candidates.length]
    if (address === undefined) throw new MeshError('broker_unavailable', 'no bootstrap server is configured')
    const client = await this.#options.open(address, (closed) => {
      if (this.#client === closed) this.#client = undefined
    })
    this.#client = client
    return client
  }
}

const NO_ID = Buffer.alloc(16)

const retryMs = (failures: number): number =>
  (0.5 + Math.random() / 2) * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(failures, 10))
