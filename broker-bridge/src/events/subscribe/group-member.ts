/**
 * Membership of one consumer group for one topic: which partitions are ours, and until when.
 *
 *   (start) ──join──► member ──heartbeat says "rebalance"──► before-join ──join──► member …
 *                        │                                        │
 *                        │ no heartbeat for a session             │ what the group takes away is broken off,
 *                        ▼                                        │ its prefix committed, then JoinGroup is sent
 *                     expired ──next heartbeat or join────────────┘
 *
 * The client asks for its join metadata before each JoinGroup: that is where revocation is done, because the coordinator gives
 * a partition to another member only after we have joined again without it. The client's retries are off: with them a commit
 * that is refused for its generation would join anew and be repeated under the new one.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionPool, Consumer, GroupPartitionsAssigner } from '@platformatic/kafka'
import type { Log } from '@weft/schemas/node/log'
import { kafkaClient } from '../../kafka-client.ts'
import type { KafkaConnection } from '../kafka-connection.ts'

export interface MemberOptions {
  readonly connection: KafkaConnection
  readonly clientId: string
  readonly topic: string
  readonly group: string
  /** Before joining: the partitions that are not in `keep` are another's soon. `commit` false: they may be already. */
  readonly onRevoke: (keep: ReadonlySet<number>, commit: boolean) => Promise<void>
  /** The partitions that are ours now, all of them. */
  readonly onAssigned: (partitions: readonly number[]) => void
  readonly log: Log
}

/** A sidecar that is killed loses its partitions after this time. Kafka's brokers permit 6 s and more. */
const SESSION_TIMEOUT_MS = 10_000
/** A member learns of a rebalance by its heartbeat, and a cooperative one has two rounds: partitions that move rest that long. */
const HEARTBEAT_MS = 1_000
/** How long the group waits for a member to join again: revocation has to be done by then. */
const REBALANCE_TIMEOUT_MS = 30_000
/** JoinGroup is answered when all have joined. */
const REQUEST_TIMEOUT_MS = REBALANCE_TIMEOUT_MS + 5_000
const REJOIN_BASE_MS = 100
const REJOIN_MAX_MS = 5_000

/**
 * The client's leader hands out the topics of its own subscription only. A group may have other ones, those of a service
 * with two subscriptions in one group for instance: they would be nobody's. `metadata` knows the topics of all members.
 */
const assignTopicsOfAll: GroupPartitionsAssigner = (current, members, _topics, metadata) =>
  kafkaClient().cooperativeStickyAssigner(current, members, new Set(metadata.topics.keys()), metadata)

export class GroupMember {
  readonly consumer: Consumer
  readonly #options: MemberOptions
  #pool: ConnectionPool
  #stopped = new AbortController()
  #joining = false
  #expired = false
  #session: NodeJS.Timeout | undefined
  #heartbeatSentAt = 0
  #renewConnections = false
  #partitionCount = 0
  /** Pending from before a JoinGroup until the group has taken us in, or has not. */
  #join: PromiseWithResolvers<void> | undefined

  constructor(options: MemberOptions) {
    this.#options = options
    const { bootstrapBrokers, tls, tlsServerName } = options.connection
    this.consumer = new (kafkaClient().Consumer)({
      clientId: options.clientId,
      groupId: options.group,
      bootstrapBrokers,
      ...(tls !== undefined && { tls }),
      ...(tls !== undefined && tlsServerName !== undefined && { tlsServerName }),
      connectTimeout: 3_000,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retries: 0,
      autocommit: false,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      // Partitions that stay with us go on being delivered while others move.
      protocols: [{ name: 'cooperative-sticky', version: 3 }],
      partitionAssigner: assignTopicsOfAll,
      protocolsMetadata: () => this.#beforeJoin(),
    })
    this.#pool = this.#newPool()
    this.consumer.topics.track(options.topic)
    this.#listen()
  }

  /** Connections for fetching: apart from the group's, which must not wait behind a long poll. */
  get fetchPool(): ConnectionPool {
    return this.#pool
  }

  /** Joins, and joins again for ever, until it is stopped. */
  start(): void {
    void this.#keepJoining()
  }

  /** Resolves when no join is under way: until then the coordinator answers nothing else, and no commit would hold. */
  async whenSettled(): Promise<void> {
    await this.#join?.promise
  }

  /** The partitions that the group has given us. */
  get assigned(): readonly number[] {
    return this.consumer.assignments?.find((each) => each.topic === this.#options.topic)?.partitions ?? []
  }

  /** Sends OffsetCommit under the current generation. */
  async commit(offsets: ReadonlyMap<number, bigint>): Promise<void> {
    const { topic } = this.#options
    await this.consumer.commit({
      offsets: [...offsets].map(([partition, offset]) => ({ topic, partition, offset, leaderEpoch: -1 })),
    })
  }

  /** The group knows us no longer (a commit was refused for it): what we hold may be another's. */
  async forsake(): Promise<void> {
    this.#expired = true
    await this.#options.onRevoke(new Set(), false)
  }

  /** The topic has grown: the group's leader assigns the new partitions when it joins again. */
  sawPartitions(count: number): void {
    const grown = this.#partitionCount > 0 && count > this.#partitionCount
    this.#partitionCount = count
    if (grown) void this.#keepJoining()
  }

  /** New connections from now on: with the certificate of now. Takes effect between two requests. */
  renewConnections(): void {
    this.#renewConnections = true
  }

  /** Leaves the group, so that others take over at once, and closes. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    clearTimeout(this.#session)
    const { log, group } = this.#options
    await new Promise<void>((resolve) => {
      this.consumer.leaveGroup(true, (error) => {
        if (error) log.debug({ group, error: String(error) }, 'leaving the group failed')
        resolve()
      })
    })
    await Promise.allSettled([this.consumer.close(true), this.#pool.close()])
  }

  #newPool(): ConnectionPool {
    const { clientId, connection } = this.#options
    return new (kafkaClient().ConnectionPool)(clientId, {
      ...(connection.tls !== undefined && { tls: connection.tls }),
      ...(connection.tls !== undefined &&
        connection.tlsServerName !== undefined && { tlsServerName: connection.tlsServerName }),
      connectTimeout: 3_000,
    })
  }

  #listen(): void {
    const { consumer } = this
    consumer.on('consumer:heartbeat:start', () => {
      this.#heartbeatSentAt = Date.now()
    })
    consumer.on('consumer:heartbeat:end', () => {
      // An answer that took a session to come says nothing of now; the next one will.
      if (Date.now() - this.#heartbeatSentAt >= SESSION_TIMEOUT_MS) return
      this.#keepSession(this.#heartbeatSentAt)
      if (this.#expired) this.#assigned()
      if (this.#renewConnections) this.#closeIdleConnections()
    })
    consumer.on('consumer:group:join', () => {
      this.#joinIsOver()
      this.#keepSession(Date.now())
      this.#assigned()
    })
    // The client tried to join again after a heartbeat, failed, and leaves the rest to us.
    consumer.on('error', () => {
      this.#joinIsOver()
      void this.#keepJoining()
    })
  }

  #assigned(): void {
    this.#expired = false
    this.#options.onAssigned(this.assigned)
  }

  /** The coordinator counts the session from when it got the heartbeat, we from when we sent it: ours ends first. */
  #keepSession(since: number): void {
    clearTimeout(this.#session)
    if (this.#stopped.signal.aborted) return
    this.#session = setTimeout(
      () => {
        this.#options.log.warn(
          { group: this.#options.group },
          'no heartbeat for a session: deliveries are broken off',
        )
        void this.forsake()
      },
      since + SESSION_TIMEOUT_MS - Date.now(),
    )
  }

  async #beforeJoin(): Promise<Buffer> {
    this.#join ??= Promise.withResolvers()
    const { onRevoke, log } = this.#options
    const keep = this.#expired ? [] : this.assigned
    try {
      await onRevoke(new Set(keep), this.consumer.memberId !== null && !this.#expired)
    } catch (error) {
      log.error({ error }, 'revoking partitions failed')
    }
    return Buffer.alloc(0)
  }

  async #keepJoining(): Promise<void> {
    if (this.#joining) return
    this.#joining = true
    const { log, group } = this.#options
    for (let failures = 0; !this.#stopped.signal.aborted; failures++) {
      try {
        await this.consumer.joinGroup({})
        break
      } catch (error) {
        this.#joinIsOver()
        const rebalancing = kafkaClient().findErrorBy(error as Error, 'needsRejoin', true) !== null
        const delayMs = rebalancing
          ? REJOIN_BASE_MS
          : Math.min(REJOIN_MAX_MS, REJOIN_BASE_MS * 2 ** Math.min(failures, 10))
        log[rebalancing ? 'debug' : 'warn'](
          { group, error: String(error), delayMs },
          'joining the group failed',
        )
        await sleep(Math.random() * delayMs, undefined, { signal: this.#stopped.signal }).catch(() => {})
      }
    }
    this.#joining = false
  }

  #joinIsOver(): void {
    this.#join?.resolve()
    this.#join = undefined
  }

  #closeIdleConnections(): void {
    this.#renewConnections = false
    const old = this.#pool
    this.#pool = this.#newPool()
    old.close(() => {})
    for (const [, connection] of this.consumer.connections) connection.close(() => {})
  }
}
