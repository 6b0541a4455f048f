/** The way of every record to Kafka, events of the API and dead letters alike: composed here of lanes, senders and metadata. */
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { KafkaCluster, SnapshotSource } from '@weft/schemas/snapshot'
import { type BrokerAddress, toAddress } from '../../connect-broker.ts'
import { BrokerClient } from '../broker/client.ts'
import { BrokerSender } from './broker-sender.ts'
import { type ClusterView, Metadata } from './metadata.ts'
import { type OutgoingRecord, PendingRecord, type RecordSink, type StoredAt } from './record.ts'
import { settingsOf } from './settings.ts'
import { TopicLanes } from './topic-lanes.ts'

export interface ProducerOptions {
  readonly clientId: string
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly log: Log
}

/** How exactly deadlines are kept: one walk over what waits, instead of a timer for each record. */
const EXPIRY_INTERVAL_MS = 25

/** A cluster, and the connections to it. Another cluster in the snapshot makes another one of these. */
interface Connections {
  readonly name: string
  readonly metadata: Metadata
  readonly senders: Map<number, BrokerSender>
}

export class Producer {
  readonly #options: ProducerOptions
  readonly #topics = new Map<string, TopicLanes>()
  readonly #unsubscribe: (() => void)[]
  readonly #expiry: NodeJS.Timeout
  #connections: Connections | undefined
  #isClosed = false
  #onIdle: (() => void) | undefined

  constructor(options: ProducerOptions) {
    this.#options = options
    this.#expiry = setInterval(() => this.#expire(), EXPIRY_INTERVAL_MS)
    this.#expiry.unref()
    this.#unsubscribe = [
      options.identity.onRotate(() => this.#refresh()),
      options.snapshots.onChange(() => this.#followCluster()),
    ]
  }

  /** The sink hears exactly once: where the broker has put the record, or a MeshError after `timeoutMs` at the latest. */
  send(topic: string, record: OutgoingRecord, options: { timeoutMs: number; sink: RecordSink }): void {
    const { timeoutMs, sink } = options
    if (this.#isClosed) {
      sink.onFailed(new MeshError('draining', 'the sidecar is stopping'))
      return
    }
    if (this.#options.snapshots.current().snapshot.kafka === undefined) {
      sink.onFailed(new MeshError('broker_unavailable', 'no Kafka cluster is configured in the mesh'))
      return
    }
    this.#lanesOf(topic).add(new PendingRecord(record, performance.now() + timeoutMs, sink))
  }

  /** `send` for those who wait for one record: rejects with a MeshError. */
  publish(topic: string, record: OutgoingRecord, timeoutMs: number): Promise<StoredAt> {
    return new Promise((resolve, reject) => {
      this.send(topic, record, {
        timeoutMs,
        sink: {
          onStored: (partition, offset) => resolve({ partition, offset }),
          onFailed: reject,
        },
      })
    })
  }

  /** What is on its way to the topic is told at once, in order, that nothing is promised. */
  giveUp(topic: string, why: string): void {
    this.#topics.get(topic)?.fail(why)
  }

  /** Takes nothing more; waits for what is in flight, up to the deadline. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true
    for (const end of this.#unsubscribe) end()
    if (!this.#isIdle) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onIdle = resolve
      const timer = setTimeout(resolve, deadlineMs)
      await promise
      clearTimeout(timer)
    }
    clearInterval(this.#expiry)
    for (const topic of this.#topics.values()) topic.fail('the sidecar stopped before')
    this.#disconnect()
  }

  get #isIdle(): boolean {
    for (const topic of this.#topics.values()) if (!topic.isIdle) return false
    return true
  }

  #expire(): void {
    const now = performance.now()
    for (const topic of this.#topics.values()) topic.expire(now)
    if (this.#onIdle !== undefined && this.#isIdle) this.#onIdle()
  }

  #lanesOf(name: string): TopicLanes {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = new TopicLanes({
        name,
        settings: settingsOf(this.#options.snapshots, name),
        onLeaderLost: () => this.#connect().metadata.refresh(),
      })
      this.#topics.set(name, topic)
    }
    return topic
  }

  #connect(): Connections {
    this.#connections ??= this.#open(this.#options.snapshots.current().snapshot.kafka)
    return this.#connections
  }

  #open(cluster: KafkaCluster | undefined): Connections {
    const { log, identity, clientId } = this.#options
    const security = cluster?.security ?? 'mtls'
    const open = (address: BrokerAddress, onClose: (closed: BrokerClient) => void) =>
      BrokerClient.open({ address, security, identity: identity.current(), clientId, onClose })
    const senders = new Map<number, BrokerSender>()
    const onView = ({ brokers, leaders }: ClusterView): boolean => {
      for (const [id, address] of brokers) {
        const sender = senders.get(id)
        if (sender === undefined) senders.set(id, new BrokerSender(address, { open, log }))
        else sender.place(address)
      }
      let isComplete = true
      for (const [name, topic] of this.#topics) {
        const nodes = leaders.get(name)
        const hasAll = nodes !== undefined && topic.setLeaders(nodes.map((id) => senders.get(id ?? -1)))
        isComplete &&= hasAll || topic.isIdle
      }
      return isComplete
    }
    const bootstrapServers = (cluster?.bootstrapServers ?? []).map(toAddress)
    const topics = () => [...this.#topics.keys()]
    return {
      name: nameOf(cluster),
      metadata: new Metadata({ bootstrapServers, open, topics, onView, log }),
      senders,
    }
  }

  /** A renewed certificate: connections are replaced between two requests. */
  #refresh(): void {
    this.#connections?.metadata.reconnect()
    for (const sender of this.#connections?.senders.values() ?? []) sender.refresh()
  }

  #followCluster(): void {
    const { kafka } = this.#options.snapshots.current().snapshot
    if (this.#connections === undefined || nameOf(kafka) === this.#connections.name) return
    for (const topic of this.#topics.values()) topic.fail('the mesh has another Kafka cluster now')
    this.#topics.clear()
    this.#disconnect()
  }

  #disconnect(): void {
    this.#connections?.metadata.close()
    for (const sender of this.#connections?.senders.values() ?? []) sender.close()
    this.#connections = undefined
  }
}

const nameOf = (cluster: KafkaCluster | undefined): string =>
  cluster === undefined ? '' : `${cluster.security} ${cluster.bootstrapServers.join(',')}`
