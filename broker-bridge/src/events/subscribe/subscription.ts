/**
 * One subscription while it runs: membership, fetching, delivery, commits. Its order of ending: fetch no more, let the attempts
 * under way end, commit, leave the group, close.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@weft/schemas/node/log'
import type { SubscriptionEntry } from '@weft/schemas/snapshot'
import { kafkaClient } from '../../kafka-client.ts'
import { type DeliverContext, deliver, type Stage } from '../deliver/deliver.ts'
import type { KafkaConnection } from '../kafka-connection.ts'
import { Committer } from './committer.ts'
import { Fetcher } from './fetcher.ts'
import { GroupMember } from './group-member.ts'
import { OwnedPartition } from './owned-partition.ts'
import { findPositionInLog, findPositions, type Position } from './positions.ts'

/** One topic of a subscription: its own, or one in which records wait for a later attempt. Each has a group, so that it can stand still by itself. */
export interface Branch {
  readonly topic: string
  readonly group: string
  readonly startAt: SubscriptionEntry['startAt']
  readonly stage: Stage
}

/** The others are read from their beginning: what was written before the first commit of their group is waiting too. */
export function branchesOf(entry: SubscriptionEntry): readonly Branch[] {
  const { topic, group, startAt, redriveTopic, retryTopics = [] } = entry
  const other = (name: string, stage: Omit<Stage, 'isFirst'>): Branch => ({
    topic: name,
    group: name,
    startAt: 'earliest',
    stage: { ...stage, isFirst: false },
  })
  return [
    { topic, group, startAt, stage: { isFirst: true, retries: 0, delayMs: 0 } },
    ...(redriveTopic === undefined ? [] : [other(redriveTopic, { retries: 0, delayMs: 0 })]),
    ...retryTopics.map((retry, index) => other(retry.topic, { retries: index + 1, delayMs: retry.delayMs })),
  ]
}

export interface SubscriptionOptions {
  readonly entry: SubscriptionEntry
  readonly branch: Branch
  readonly clientId: string
  readonly connection: KafkaConnection
  readonly deliver: DeliverContext
  readonly log: Log
}

const OPEN_RETRY_MS = 1_000
/** Leaving a group whose broker does not answer is not worth more of the time to stop. */
const LEAVE_LIMIT_MS = 3_000
const LEAVE_LEAST_MS = 500
/** Revocation must not hold up the group: an unanswered commit means a repetition, no more. */
const REVOKE_COMMIT_LIMIT_MS = 5_000

export class Subscription {
  readonly #options: SubscriptionOptions
  readonly #owned = new Map<number, OwnedPartition>()
  /** Broken off, and to be committed once more before they are another's. */
  #leaving: readonly OwnedPartition[] = []
  readonly #member: GroupMember
  readonly #committer: Committer
  readonly #fetcher: Fetcher
  readonly #endOfGate: () => void
  #entry: SubscriptionEntry
  /** Grows with each change of the assignment: what began before it no longer counts. */
  #assignment = 0
  #stopping = false

  constructor(options: SubscriptionOptions) {
    this.#options = options
    this.#entry = options.entry
    const { topic, group } = options.branch
    const { clientId, connection, log } = options
    this.#member = new GroupMember({
      connection,
      clientId,
      topic,
      group,
      log,
      onRevoke: (keep, commit) => this.#revoke(keep, commit),
      onAssigned: (partitions) => this.#assign(partitions),
    })
    this.#committer = new Committer({
      committable: () =>
        new Map(
          [...this.#owned.values(), ...this.#leaving].map((each) => [each.partition, each.committable]),
        ),
      commit: (offsets) => this.#member.commit(offsets),
      onFailure: (error) => this.#afterCommitFailure(error),
    })
    this.#fetcher = new Fetcher({
      consumer: this.#member.consumer,
      topic,
      partitions: () => this.#owned.values(),
      mayFetch: () => options.deliver.receiver.gate.isOpen,
      onOutOfRange: (owned) => this.#relocate(owned),
      onPartitionCount: (count) => this.#member.sawPartitions(count),
      pool: () => this.#member.fetchPool,
      log,
    })
    this.#endOfGate = options.deliver.receiver.gate.onOpen(() => this.#fetcher.wake())
    this.#member.start()
  }

  /** New settings, same topics and group: they hold from the next attempt on. */
  update(entry: SubscriptionEntry): void {
    this.#entry = entry
    for (const owned of this.#owned.values()) owned.dispatch()
  }

  renewConnections(): void {
    this.#member.renewConnections()
  }

  /** Deliveries get the whole time; what the broker does not answer in the rest, or in a moment more, is left undone. */
  async stop(deadlineMs: number): Promise<void> {
    const end = Date.now() + deadlineMs
    const left = () => Math.min(LEAVE_LIMIT_MS, Math.max(LEAVE_LEAST_MS, end - Date.now()))
    this.#stopping = true
    this.#assignment++
    this.#endOfGate()
    this.#fetcher.stop()
    await Promise.all([...this.#owned.values()].map((owned) => owned.end(deadlineMs)))
    await within(left(), this.#member.whenSettled())
    await within(left(), this.#committer.hold())
    // A rebalance may have ended meanwhile: of what it took away nothing is committed.
    const { assigned } = this.#member
    for (const partition of [...this.#owned.keys()])
      if (!assigned.includes(partition)) this.#owned.delete(partition)
    await within(left(), this.#committer.flush())
    await within(left(), this.#member.stop())
    this.#owned.clear()
  }

  #assign(partitions: readonly number[]): void {
    if (this.#stopping) return
    const assignment = ++this.#assignment
    this.#committer.release()
    const added = partitions.filter((partition) => !this.#owned.has(partition))
    const { group, topic } = this.#options.branch
    this.#options.log.info({ group, topic, partitions, added }, 'partitions assigned')
    if (added.length > 0) void this.#open(added, assignment)
    this.#fetcher.wake()
  }

  /** Finds where to read from, however long the broker takes, unless the assignment changes first. */
  async #open(partitions: readonly number[], assignment: number): Promise<void> {
    const { consumer } = this.#member
    const { topic, startAt, group } = this.#options.branch
    while (assignment === this.#assignment) {
      try {
        const positions = await findPositions({ consumer, topic, partitions, startAt })
        if (assignment !== this.#assignment) return
        for (const [partition, position] of positions) this.#begin(partition, position)
        return
      } catch (error) {
        this.#options.log.warn(
          { group, topic, error: String(error) },
          'the position of the group cannot be read yet',
        )
        consumer.clearMetadata()
        await sleep(OPEN_RETRY_MS, undefined, { ref: false })
      }
    }
  }

  #begin(partition: number, { start, committed }: Position): void {
    const { topic, stage } = this.#options.branch
    const owned = new OwnedPartition({
      topic,
      partition,
      start,
      maxInFlight: () => this.#entry.maxInFlight,
      deliver: (record, control) =>
        deliver(this.#options.deliver, { entry: () => this.#entry, stage }, record, control),
      onProgress: () => this.#committer.note(),
      onRoom: () => this.#fetcher.wake(),
      onFault: (error) =>
        this.#options.log.error(
          { error, topic, partition },
          'a delivery failed in the sidecar: the partition waits',
        ),
    })
    this.#owned.set(partition, owned)
    this.#committer.begin(partition, committed)
    // A start at the end is put on record at once: else a member that dies before its first commit loses the place.
    if (committed === undefined) this.#committer.note()
    this.#fetcher.wake()
  }

  async #revoke(keep: ReadonlySet<number>, commit: boolean): Promise<void> {
    this.#assignment++
    const leaving = [...this.#owned.values()].filter((owned) => !keep.has(owned.partition))
    // At once: an assignment that comes while the rest of this is awaited finds them gone, and begins them anew.
    for (const owned of leaving) this.#owned.delete(owned.partition)
    if (leaving.length > 0) {
      const { group, topic } = this.#options.branch
      const partitions = leaving.map((owned) => owned.partition)
      this.#options.log.info({ group, topic, partitions }, 'partitions revoked')
    }
    await Promise.all(leaving.map((owned) => owned.lose()))
    await this.#committer.hold()
    if (!commit || leaving.length === 0) return
    this.#leaving = leaving
    await within(REVOKE_COMMIT_LIMIT_MS, this.#committer.flush())
    this.#leaving = []
  }

  #afterCommitFailure(error: unknown): void {
    const { group, topic } = this.#options.branch
    this.#options.log.info({ group, topic, error: String(error) }, 'a commit failed; it is repeated')
    const forgotten = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION', 'FENCED_INSTANCE_ID']
    if (
      !this.#stopping &&
      forgotten.some((id) => kafkaClient().findErrorBy(error as Error, 'apiId', id) !== null)
    )
      void this.#member.forsake()
  }

  /** A new object for the partition: its records in memory are of a log that is no more. */
  async #relocate(owned: OwnedPartition): Promise<void> {
    const { topic, startAt, group } = this.#options.branch
    const { partition, fetchOffset } = owned
    const assignment = this.#assignment
    const request = { consumer: this.#member.consumer, topic, partitions: [partition], startAt }
    const position = await findPositionInLog(request, partition, fetchOffset)
    this.#options.log.warn(
      { group, topic, partition, from: String(fetchOffset), to: String(position.start) },
      'the log no longer holds the position of the group: records were deleted before they were delivered',
    )
    await owned.lose()
    if (assignment === this.#assignment && this.#owned.get(partition) === owned)
      this.#begin(partition, position)
  }
}

/** Waits no longer than that; what comes later is nobody's business any more. */
async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  const timer = new AbortController()
  await Promise.race([
    work.catch(() => {}),
    sleep(limitMs, undefined, { signal: timer.signal }).catch(() => {}),
  ])
  timer.abort()
}
