/**
 * One transactional id and its way through a transaction (KIP-98):
 *
 *     FindCoordinator ─▶ InitProducerId ─▶ AddPartitionsToTxn ─▶ Produce … ─▶ EndTxn
 *
 * In the versions in which a client names the partitions itself: those after them are between brokers (AddPartitionsToTxn from 4 on asks for
 * ClusterAction, which no workload has) or of the second part of KIP-890, and every broker knows these.
 *
 * What fails for a while is asked again until the signal says stop. Whatever else fails leaves the id without an epoch; the next InitProducerId
 * has the broker abort what was left open, and fences what may still be on its way.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '@weft/schemas/error'
import type { BrokerAddress } from '../../connect-broker.ts'
import { PRODUCE } from '../../wire/00-produce.ts'
import { METADATA } from '../../wire/03-metadata.ts'
import { COORDINATOR_OF_TRANSACTION, FIND_COORDINATOR } from '../../wire/10-find-coordinator.ts'
import { INIT_PRODUCER_ID } from '../../wire/22-init-producer-id.ts'
import { ADD_PARTITIONS_TO_TXN } from '../../wire/24-add-partitions-to-txn.ts'
import { END_TXN } from '../../wire/26-end-txn.ts'
import type { Api } from '../../wire/api.ts'
import { NO_TOPIC_ID } from '../../wire/codec.ts'
import { NO_TAGS } from '../../wire/reader.ts'
import { writeBatch } from '../../wire/write-batch.ts'
import type { BrokerConnections } from '../broker/connections.ts'
import { MAX_SEQUENCE, type ProducerId } from './batch.ts'
import { LOST, outcomeOf, REFUSED_BY_ACL } from './outcome.ts'
import type { OutgoingRecord } from './record.ts'
import type { ProduceSettings } from './settings.ts'

/** What one transaction writes under. Whatever is still on its way of one that was given up keeps it, and is fenced by the next. */
export interface Epoch extends ProducerId {
  /** Next sequence, by topic and partition. */
  readonly sequences: Map<string, number>
}

/** Records of one partition that are in one batch. */
export interface Part {
  readonly topic: string
  readonly partition: number
  readonly records: readonly OutgoingRecord[]
  readonly settings: Pick<ProduceSettings, 'compression'>
}

const NEWEST = new Map<Api, number>([
  [PRODUCE, 11],
  [FIND_COORDINATOR, 3],
  [INIT_PRODUCER_ID, 4],
  [ADD_PARTITIONS_TO_TXN, 3],
  [END_TXN, 4],
])
/** A broker aborts what has been open for so long, whoever left it. */
const TRANSACTION_TIMEOUT_MS = 60_000
const ACKS_TIMEOUT_MS = 5_000
const ALL_IN_SYNC_REPLICAS = -1
const RETRY_BASE_MS = 20
const RETRY_MAX_MS = 500

/** UNKNOWN_TOPIC_OR_PARTITION, COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, CONCURRENT_TRANSACTIONS. */
const AGAIN = new Set([3, 14, 15, 16, 51])

export class TransactionalProducer {
  readonly id: string
  readonly #connections: BrokerConnections
  #coordinator: BrokerAddress | undefined
  #epoch: Epoch | undefined

  constructor(id: string, connections: BrokerConnections) {
    this.id = id
    this.#connections = connections
  }

  /** The epoch of this id; where it has none, a new one, which ends what an earlier transaction has left open. */
  async begin(signal: AbortSignal): Promise<Epoch> {
    if (this.#epoch !== undefined) return this.#epoch
    const { producerId, producerEpoch } = await this.#askCoordinator(signal, INIT_PRODUCER_ID, {
      transactionalId: this.id,
      transactionTimeoutMs: TRANSACTION_TIMEOUT_MS,
      producerId: -1n,
      producerEpoch: -1,
      tags: NO_TAGS,
    })
    this.#epoch = { id: producerId, epoch: producerEpoch, sequences: new Map() }
    return this.#epoch
  }

  /** Takes the epoch away: whatever becomes of what is under way, it is not committed. */
  abandon(): void {
    this.#epoch = undefined
  }

  /** Leaders of all partitions of each topic, waited for. */
  leadersOf(
    topics: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, readonly BrokerAddress[]>> {
    return untilDone(signal, async () => {
      const answer = await this.#ask(undefined, METADATA, {
        ...METADATA.request.absent,
        topics: topics.map((name) => ({ topicId: NO_TOPIC_ID, name, tags: NO_TAGS })),
        allowAutoTopicCreation: false,
      })
      if (answer === undefined) return undefined
      const { brokers, topics: found } = answer
      const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]))
      const leaders = new Map<string, readonly BrokerAddress[]>()
      for (const { name, errorCode, partitions } of found) {
        if (REFUSED_BY_ACL.has(errorCode)) throw refusedByAcl(`to produce to topic ${name}`)
        const inOrder = partitions.toSorted((one, other) => one.index - other.index)
        const known = inOrder.map(({ leaderId }) => addresses.get(leaderId))
        if (name === null || known.length === 0 || known.includes(undefined)) return undefined
        leaders.set(name, known as BrokerAddress[])
      }
      return leaders
    })
  }

  /** Partitions that the transaction writes to from now on. */
  async add({ id, epoch }: Epoch, parts: readonly Part[], signal: AbortSignal): Promise<void> {
    const partitions = new Map<string, Set<number>>()
    for (const { topic, partition } of parts)
      partitions.set(topic, (partitions.get(topic) ?? new Set()).add(partition))
    await this.#askCoordinator(signal, ADD_PARTITIONS_TO_TXN, {
      ...ADD_PARTITIONS_TO_TXN.request.absent,
      v3AndBelowTransactionalId: this.id,
      v3AndBelowProducerId: id,
      v3AndBelowProducerEpoch: epoch,
      v3AndBelowTopics: [...partitions].map(([name, indexes]) => ({
        name,
        partitions: [...indexes],
        tags: NO_TAGS,
      })),
    })
  }

  /** Writes one batch to the leader of its partition; resolves with the offset of the first record. */
  async produce(
    { id, epoch, sequences }: Epoch,
    { part, leader }: { readonly part: Part; readonly leader: BrokerAddress },
    signal: AbortSignal,
  ): Promise<bigint> {
    const { topic, partition, records, settings } = part
    const place = `${topic} ${partition}`
    const baseSequence = sequences.get(place) ?? 0
    sequences.set(place, (baseSequence + records.length) % (MAX_SEQUENCE + 1))
    const batch = writeBatch(records, {
      producerId: id,
      producerEpoch: epoch,
      baseSequence,
      nowMs: Date.now(),
      isTransactional: true,
      ...(settings.compression !== undefined && { compression: settings.compression }),
    })
    let at = leader
    const partitions = [{ index: partition, records: batch, tags: NO_TAGS }]
    const message = {
      transactionalId: this.id,
      acks: ALL_IN_SYNC_REPLICAS,
      timeoutMs: ACKS_TIMEOUT_MS,
      topics: [{ name: topic, topicId: NO_TOPIC_ID, partitions, tags: NO_TAGS }],
      tags: NO_TAGS,
    }
    return await untilDone(signal, async () => {
      const answer = await this.#ask(at, PRODUCE, message)
      const said = answer?.topics[0]?.partitions[0]
      // Nobody knows whether it is stored: under the same sequence it is stored once.
      const outcome = said === undefined ? LOST : outcomeOf(topic, said)
      if (outcome.kind === 'stored') return outcome.baseOffset
      if (outcome.kind === 'refused') throw outcome.error
      if (outcome.kind === 'renumber') throw failed(PRODUCE, said?.errorCode ?? 0)
      if (outcome.needsLeader) at = (await this.leadersOf([topic], signal)).get(topic)?.[partition] ?? at
      return undefined
    })
  }

  /** All or none of it is there from now on for readers of what is committed. Once asked for, it may be done although no answer comes. */
  async commit({ id, epoch }: Epoch, signal: AbortSignal): Promise<void> {
    await this.#askCoordinator(signal, END_TXN, {
      transactionalId: this.id,
      producerId: id,
      producerEpoch: epoch,
      committed: true,
      tags: NO_TAGS,
    })
  }

  #askCoordinator<Request, Response>(
    signal: AbortSignal,
    api: Api<Request, Response>,
    message: Request,
  ): Promise<Response> {
    return untilDone(signal, async () => {
      this.#coordinator ??= await this.#findCoordinator()
      if (this.#coordinator === undefined) return undefined
      const answer = await this.#ask(this.#coordinator, api, message)
      const code = answer === undefined ? 0 : codesIn(answer).find((each) => each !== 0)
      if (code !== undefined && code !== 0 && !AGAIN.has(code)) throw failed(api, code)
      if (code === undefined) return answer
      this.#coordinator = undefined
      return undefined
    })
  }

  async #findCoordinator(): Promise<BrokerAddress | undefined> {
    const message = { ...FIND_COORDINATOR.request.absent, key: this.id, keyType: COORDINATOR_OF_TRANSACTION }
    const answer = await this.#ask(undefined, FIND_COORDINATOR, message)
    if (answer === undefined) return undefined
    const { errorCode, host, port } = answer
    if (errorCode !== 0 && !AGAIN.has(errorCode)) throw failed(FIND_COORDINATOR, errorCode)
    return errorCode === 0 ? { host, port } : undefined
  }

  /** One question, to any broker where no address is given; undefined where the connection failed. */
  async #ask<Request, Response>(
    address: BrokerAddress | undefined,
    api: Api<Request, Response>,
    message: Request,
  ): Promise<Response | undefined> {
    try {
      const client = await (address === undefined ? this.#connections.any() : this.#connections.to(address))
      const version = Math.min(NEWEST.get(api) ?? Number.POSITIVE_INFINITY, client.versionOf(api))
      return await client.ask(api, message, { version })
    } catch (error) {
      if (error instanceof MeshError && OF_CONNECTION.has(error.code)) return undefined
      throw error
    }
  }
}

const OF_CONNECTION: ReadonlySet<string> = new Set(['connect_failed', 'broker_unavailable'])

/** Asks again, more and more seldom, until there is an answer. */
async function untilDone<T>(signal: AbortSignal, ask: () => Promise<T | undefined>): Promise<T> {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted()
    const answer = await ask()
    if (answer !== undefined) return answer
    await sleep(Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(failures, 10)), undefined, { signal })
  }
}

/** Error codes of an answer of the coordinator, wherever they stand. */
function codesIn(answer: unknown): readonly number[] {
  const { errorCode = 0, resultsByTopicV3AndBelow = [] } = answer as {
    readonly errorCode?: number
    readonly resultsByTopicV3AndBelow?: readonly {
      readonly resultsByPartition: readonly { readonly partitionErrorCode: number }[]
    }[]
  }
  return [
    errorCode,
    ...resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    ),
  ]
}

const refusedByAcl = (what: string): MeshError =>
  new MeshError('permission_denied', `the broker's own ACLs refuse this identity ${what}`)

function failed({ name }: Api, code: number): MeshError {
  if (REFUSED_BY_ACL.has(code)) return refusedByAcl(`to do this: ${name} answered Kafka error ${code}`)
  return new MeshError('broker_unavailable', `${name} answered Kafka error ${code}`, { target: name })
}
