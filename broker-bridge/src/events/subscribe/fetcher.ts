/**
 * Fetches for the partitions that have room, one request per broker at a time. The client's own message stream is not used:
 * it keeps records of a lost assignment in its buffer, and after a rejoin it goes on from its own position where the group has
 * no commit, past records that nobody acknowledged.
 */
import type { ClusterMetadata, ConnectionPool, Consumer } from '@platformatic/kafka'
import type { Log } from '@weft/schemas/node/log'
import { kafkaClient } from '../../kafka-client.ts'
import { committedBatches } from './aborted.ts'
import type { OwnedPartition } from './owned-partition.ts'

type FetchResponse = Awaited<ReturnType<Consumer['fetch']>>

export interface FetcherOptions {
  readonly consumer: Consumer
  readonly topic: string
  readonly partitions: () => Iterable<OwnedPartition>
  /** Nothing is fetched while this is false. */
  readonly mayFetch: () => boolean
  /** The partition's position is not in the log (any more). */
  readonly onOutOfRange: (partition: OwnedPartition) => Promise<void>
  /** The topic has more partitions than the group knows. */
  readonly onPartitionCount: (count: number) => void
  readonly pool: () => ConnectionPool
  readonly log: Log
}

const MAX_WAIT_MS = 500
/** The wait where a partition of the same broker is full: it must not wait for the others once it has room. */
const MAX_WAIT_BESIDE_FULL_MS = 50
const MAX_BYTES = 8 * 1024 * 1024
const MAX_BYTES_PER_PARTITION = 1024 * 1024
const BACKOFF_BASE_MS = 100
const BACKOFF_MAX_MS = 3_000
const READ_COMMITTED = 1
const OFFSET_OUT_OF_RANGE = 1
const SESSION_FAULTS = ['FETCH_SESSION_ID_NOT_FOUND', 'INVALID_FETCH_SESSION_EPOCH']

export class Fetcher {
  readonly #options: FetcherOptions
  readonly #busy = new Set<number>()
  #looking = false
  #again = false
  #failures = 0
  #stopped = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: FetcherOptions) {
    this.#options = options
  }

  /** Fetches what may be fetched now; to be called whenever that may have become more. */
  wake(): void {
    if (this.#stopped) return
    this.#again = true
    if (this.#looking || this.#timer !== undefined) return
    this.#looking = true
    setImmediate(() => void this.#look())
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false
        await this.#fetchWanted()
      }
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#looking = false
    }
  }

  async #fetchWanted(): Promise<void> {
    const { consumer, topic, partitions, mayFetch } = this.#options
    if (!mayFetch() || [...partitions()].every((owned) => !owned.wantsMore)) return
    const metadata = await consumer.metadata({ topics: [topic] })
    const layout = metadata.topics.get(topic)
    if (layout === undefined) throw new Error(`the broker does not know topic ${topic}`)
    this.#options.onPartitionCount(layout.partitionsCount)

    const wanted = new Map<number, OwnedPartition[]>()
    const full = new Set<number>()
    for (const owned of partitions()) {
      const leader = layout.partitions[owned.partition]?.leader ?? -1
      if (leader < 0) throw new Error(`partition ${owned.partition} of ${topic} has no leader`)
      if (this.#busy.has(leader)) continue
      if (owned.wantsMore) wanted.set(leader, [...(wanted.get(leader) ?? []), owned])
      else full.add(leader)
    }
    for (const [node, list] of wanted) {
      this.#busy.add(node)
      void this.#fetch(node, list, {
        metadata,
        maxWaitTime: full.has(node) ? MAX_WAIT_BESIDE_FULL_MS : MAX_WAIT_MS,
      })
    }
  }

  async #fetch(
    node: number,
    list: readonly OwnedPartition[],
    { metadata, maxWaitTime }: { readonly metadata: ClusterMetadata; readonly maxWaitTime: number },
  ): Promise<void> {
    const { consumer, topic, pool } = this.#options
    const topicId = metadata.topics.get(topic)?.id ?? ''
    try {
      const response = await consumer.fetch({
        node,
        connectionPool: pool(),
        maxWaitTime,
        minBytes: 1,
        maxBytes: MAX_BYTES,
        isolationLevel: READ_COMMITTED,
        topics: list.map((owned) => ({
          topicId,
          partitions: [
            {
              partition: owned.partition,
              fetchOffset: owned.fetchOffset,
              currentLeaderEpoch: -1,
              lastFetchedEpoch: -1,
              partitionMaxBytes: MAX_BYTES_PER_PARTITION,
            },
          ],
        })),
      })
      this.#failures = 0
      accept(list, response)
    } catch (error) {
      await this.#afterFailure(list, error)
    } finally {
      this.#busy.delete(node)
      this.wake()
    }
  }

  async #afterFailure(list: readonly OwnedPartition[], error: unknown): Promise<void> {
    // A restarted broker has forgotten the fetch session; the client begins a new one.
    if (
      this.#stopped ||
      SESSION_FAULTS.some((id) => kafkaClient().findErrorBy(error as Error, 'apiId', id) !== null)
    )
      return
    const response = responseOf(error)
    const outside = (response?.responses ?? []).flatMap(({ partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode === OFFSET_OUT_OF_RANGE)
        .map(({ partitionIndex }) => partitionIndex),
    )
    try {
      for (const owned of list)
        if (!owned.isOver && outside.includes(owned.partition)) await this.#options.onOutOfRange(owned)
      if (outside.length === 0) this.#failed(error)
    } catch (nested) {
      this.#failed(nested)
    }
  }

  #failed(error: unknown): void {
    if (this.#stopped || this.#timer !== undefined) return
    const delayMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(this.#failures++, 10))
    const { consumer, topic, log } = this.#options
    log.warn({ topic, group: consumer.groupId, error: String(error), delayMs }, 'fetching failed')
    // Leaders may have moved.
    consumer.clearMetadata()
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.wake()
    }, delayMs)
  }
}

/** Only for the objects that the fetch was made for: a partition that came back meanwhile is another object. */
function accept(list: readonly OwnedPartition[], response: FetchResponse): void {
  for (const { partitions } of response.responses) {
    for (const { partitionIndex, records, abortedTransactions } of partitions) {
      const owned = list.find((each) => each.partition === partitionIndex)
      const last = records?.at(-1)
      if (
        owned === undefined ||
        owned.isOver ||
        records === null ||
        records === undefined ||
        last === undefined
      )
        continue
      owned.accept(
        committedBatches(records, abortedTransactions),
        last.firstOffset + BigInt(last.lastOffsetDelta) + 1n,
      )
    }
  }
}

function responseOf(error: unknown): FetchResponse | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { response, errors } = error as { response?: FetchResponse; errors?: unknown[] }
  return response ?? errors?.map(responseOf).find((each) => each !== undefined)
}
