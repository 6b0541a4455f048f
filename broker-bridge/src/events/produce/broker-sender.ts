/**
 * The requests to one broker. What the lanes of its partitions have at the end of a turn leaves as one Produce request.
 *
 * A broker works on one request of a connection at a time. With two on the way it always has the next one at hand; more small
 * ones would only be more requests for the same records, so records wait for the next answer and leave in larger batches.
 * Lanes with a batch full do not wait, up to five requests.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { BrokerAddress } from '../../connect-broker.ts'
import { PRODUCE, produceLayout, withRecords } from '../../wire/00-produce.ts'
import { INIT_PRODUCER_ID } from '../../wire/22-init-producer-id.ts'
import { encodeRequest, readRequestHeader } from '../../wire/api.ts'
import { NO_TOPIC_ID } from '../../wire/codec.ts'
import { NO_TAGS } from '../../wire/reader.ts'
import type { BrokerClient } from '../broker/client.ts'
import type { Batch, ProducerId } from './batch.ts'
import { LOST, outcomeOf } from './outcome.ts'
import type { Leader, PartitionLane } from './partition-lane.ts'

export interface SenderOptions {
  readonly open: (address: BrokerAddress, onClose: (closed: BrokerClient) => void) => Promise<BrokerClient>
  readonly log: Log
}

interface Sent {
  readonly lane: PartitionLane
  readonly batch: Batch
}

/** Topic, partition, what was sent. */
type Request = ReadonlyMap<string, ReadonlyMap<number, Sent>>

const EAGER_REQUESTS = 2
const MAX_REQUESTS = 5
/** A request takes no further batch from here on; a batch is a mebibyte at most. */
const MAX_REQUEST_BYTES = 8 * 1024 * 1024
/** How long a broker waits for its replicas before it says so. */
const ACKS_TIMEOUT_MS = 5_000
const ALL_IN_SYNC_REPLICAS = -1
/** The last version in which topics have names; from 13 they have ids. */
const MAX_VERSION = 12
const RECONNECT_BASE_MS = 50
const RECONNECT_MAX_MS = 1_000
const EMPTY = Buffer.alloc(0)

export class BrokerSender implements Leader {
  readonly #options: SenderOptions
  readonly #lanes = new Set<PartitionLane>()
  readonly #planned = new Set<PartitionLane>()
  #address: BrokerAddress
  #client: BrokerClient | undefined
  #requests = 0
  #isPumpPlanned = false
  #isConnecting = false
  #isStale = false
  #isClosed = false

  constructor(address: BrokerAddress, options: SenderOptions) {
    this.#address = address
    this.#options = options
  }

  get isUp(): boolean {
    return this.#client !== undefined
  }

  /** Where the broker is now. */
  place(address: BrokerAddress): void {
    if (address.host !== this.#address.host || address.port !== this.#address.port) this.#isStale = true
    this.#address = address
  }

  attach(lane: PartitionLane): void {
    this.#lanes.add(lane)
    void this.#connect()
  }

  detach(lane: PartitionLane): void {
    this.#lanes.delete(lane)
    this.#planned.delete(lane)
  }

  /** The next request goes over a new connection, with the certificate of then. Those in flight are answered first. */
  refresh(): void {
    this.#isStale = true
    this.#planPump()
  }

  close(): void {
    this.#isClosed = true
    this.#client?.close()
  }

  plan(lane: PartitionLane): void {
    this.#planned.add(lane)
    this.#planPump()
  }

  async newProducerId(): Promise<ProducerId> {
    if (this.#client === undefined) throw new MeshError('broker_unavailable', 'not connected')
    const { errorCode, producerId, producerEpoch } = await this.#client.ask(INIT_PRODUCER_ID, {
      transactionalId: null,
      // Means nothing without a transactional id.
      transactionTimeoutMs: 0,
      producerId: -1n,
      producerEpoch: -1,
      tags: NO_TAGS,
    })
    if (errorCode !== 0) throw new MeshError('broker_unavailable', `no producer id: Kafka error ${errorCode}`)
    return { id: producerId, epoch: producerEpoch }
  }

  #planPump(): void {
    if (this.#isPumpPlanned) return
    this.#isPumpPlanned = true
    setImmediate(() => {
      this.#isPumpPlanned = false
      this.#pump()
    })
  }

  #pump(): void {
    if (this.#isStale) {
      if (this.#requests === 0) this.#replaceConnection()
      return
    }
    while (this.#client !== undefined && this.#planned.size > 0 && this.#mayBegin()) {
      const request = this.#collect()
      if (request.size === 0) return
      this.#send(this.#client, request)
    }
  }

  #mayBegin(): boolean {
    if (this.#requests < EAGER_REQUESTS) return true
    if (this.#requests >= MAX_REQUESTS) return false
    for (const lane of this.#planned) if (lane.isFull) return true
    return false
  }

  /** One batch of each lane that has one, in the order in which they came. */
  #collect(): Request {
    const request = new Map<string, Map<number, Sent>>()
    let bytes = 0
    for (const lane of [...this.#planned]) {
      if (bytes >= MAX_REQUEST_BYTES) break
      const batch = lane.takeBatch()
      this.#planned.delete(lane)
      // To the end of the queue: those that wait for their first batch come before its second.
      if (lane.hasMore) this.#planned.add(lane)
      if (batch === undefined) continue
      bytes += batch.bytes.length
      let partitions = request.get(lane.topic)
      if (partitions === undefined) {
        partitions = new Map()
        request.set(lane.topic, partitions)
      }
      partitions.set(lane.partition, { lane, batch })
    }
    return request
  }

  #send(client: BrokerClient, request: Request): void {
    this.#requests++
    const version = Math.min(MAX_VERSION, client.versionOf(PRODUCE))
    client.send(PRODUCE, {
      version,
      encode: (correlationId, clientId) => encodeProduce(request, { version, correlationId, clientId }),
      onAnswer: (answer) => {
        this.#requests--
        const left = new Set<Sent>()
        for (const partitions of request.values()) for (const sent of partitions.values()) left.add(sent)
        for (const { name, partitions } of answer?.topics ?? []) {
          for (const partition of partitions) {
            const sent = request.get(name)?.get(partition.index)
            if (sent === undefined || !left.delete(sent)) continue
            sent.lane.onAnswer(sent.batch, outcomeOf(name, partition))
            if (sent.lane.hasMore) this.#planned.add(sent.lane)
          }
        }
        for (const { lane, batch } of left) lane.onAnswer(batch, LOST)
        if (this.#planned.size > 0 || this.#isStale) this.#planPump()
      },
    })
  }

  #replaceConnection(): void {
    this.#isStale = false
    const client = this.#client
    this.#client = undefined
    client?.close()
    void this.#connect()
  }

  async #connect(): Promise<void> {
    if (this.#client !== undefined || this.#isConnecting) return
    this.#isConnecting = true
    for (let failures = 0; this.#lanes.size > 0 && !this.#isClosed; failures++) {
      try {
        await this.#openOnce()
        break
      } catch (error) {
        const { host, port } = this.#address
        this.#options.log.debug({ error, broker: `${host}:${port}` }, 'no connection to the broker yet')
        for (const lane of this.#lanes) lane.onLeaderDown()
        await sleep(reconnectMs(failures), undefined, { ref: false })
      }
    }
    this.#isConnecting = false
  }

  async #openOnce(): Promise<void> {
    this.#isStale = false
    const client = await this.#options.open(this.#address, (closed) => {
      if (this.#client !== closed) return
      this.#client = undefined
      for (const lane of this.#lanes) lane.onLeaderDown()
      void this.#connect()
    })
    if (this.#isClosed) {
      client.close()
      return
    }
    this.#client = client
    for (const lane of this.#lanes) lane.onLeaderUp()
  }
}

const reconnectMs = (failures: number): number =>
  (0.5 + Math.random() / 2) * Math.min(RECONNECT_MAX_MS, RECONNECT_BASE_MS * 2 ** Math.min(failures, 10))

/** The request in pieces, so that the batches are not copied once more: it is encoded without them, and they are put in their places. */
function encodeProduce(
  request: Request,
  head: { readonly version: number; readonly correlationId: number; readonly clientId: string },
): Buffer[] {
  const records: Buffer[][] = []
  const topics = []
  for (const [name, partitions] of request) {
    const entries = []
    for (const [index, { batch }] of partitions) {
      entries.push({ index, records: EMPTY, tags: NO_TAGS })
      records.push([batch.bytes])
    }
    topics.push({ name, topicId: NO_TOPIC_ID, partitions: entries, tags: NO_TAGS })
  }
  const message = {
    transactionalId: null,
    acks: ALL_IN_SYNC_REPLICAS,
    timeoutMs: ACKS_TIMEOUT_MS,
    topics,
    tags: NO_TAGS,
  }
  const frame = encodeRequest(PRODUCE, { ...head, message })
  const { bodyAt } = readRequestHeader(frame, PRODUCE)
  const places = produceLayout(frame, { version: head.version, bodyAt }).topics.flatMap(
    (topic) => topic.partitions,
  )
  const replaced = places.map((partition, at) => ({ partition, records: records[at] ?? [] }))
  return withRecords(frame, head.version, replaced)
}
