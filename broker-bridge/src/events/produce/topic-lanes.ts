import { MeshError } from '@weft/schemas/error'
import { murmur2 } from './murmur2.ts'
import { notAcknowledged } from './outcome.ts'
import { type Leader, PartitionLane } from './partition-lane.ts'
import type { OutgoingRecord, PendingRecord } from './record.ts'
import type { ProduceSettings } from './settings.ts'

export interface TopicOptions {
  readonly name: string
  readonly settings: () => ProduceSettings
  /** Called also where the partitions are not known yet. */
  readonly onLeaderLost: () => void
}

/** As the Java client does, so that all producers of a topic agree. */
export const partitionOf = (key: Uint8Array, partitions: number): number =>
  (murmur2(key) & 0x7fff_ffff) % partitions

/** The partitions of one topic, and which of them a record goes to. */
export class TopicLanes {
  readonly name: string
  readonly #options: TopicOptions
  readonly #lanes: PartitionLane[] = []
  /** Came before the partitions were known. */
  #waiting: PendingRecord[] = []
  /** Where records without a key go until a batch of them has left: one request instead of many small ones. */
  #keyless = Math.floor(Math.random() * 1_000)

  constructor(options: TopicOptions) {
    this.name = options.name
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.#lanes.every((lane) => lane.isIdle)
  }

  add(pending: PendingRecord): void {
    if (this.#lanes.length === 0) {
      this.#waiting.push(pending)
      this.#options.onLeaderLost()
      return
    }
    const lane = this.#laneFor(pending.record)
    if (lane !== undefined) lane.add(pending)
    else
      pending.failed(
        new MeshError(
          'invalid_event',
          `weft-partition: expected a partition below ${this.#lanes.length} of topic ${this.name}`,
        ),
      )
  }

  /** Undefined where the record asks for a partition that is not there. */
  #laneFor({ key, partition }: OutgoingRecord): PartitionLane | undefined {
    const lanes = this.#lanes
    if (partition !== undefined) return lanes[partition]
    if (key !== undefined) return lanes[partitionOf(key, lanes.length)] as PartitionLane
    for (let tries = 0; tries < lanes.length; tries++) {
      const lane = lanes[this.#keyless % lanes.length] as PartitionLane
      if (lane.isUp) return lane
      this.#keyless++
    }
    return lanes[this.#keyless % lanes.length] as PartitionLane
  }

  /** Who leads each partition now, undefined where nobody does. True where all have a leader. */
  setLeaders(leaders: readonly (Leader | undefined)[]): boolean {
    for (let partition = this.#lanes.length; partition < leaders.length; partition++) {
      const { name: topic, settings, onLeaderLost } = this.#options
      this.#lanes.push(
        new PartitionLane({ topic, partition, settings, onLeaderLost, onBatch: () => this.#keyless++ }),
      )
    }
    for (const [partition, lane] of this.#lanes.entries()) lane.setLeader(leaders[partition])
    for (const pending of this.#waiting.splice(0)) this.add(pending)
    return this.#lanes.every((_, partition) => leaders[partition] !== undefined)
  }

  expire(now: number): void {
    for (const lane of this.#lanes) lane.expire(now)
    const late = this.#waiting.filter((pending) => now >= pending.deadlineAt)
    if (late.length === 0) return
    this.#waiting = this.#waiting.filter((pending) => now < pending.deadlineAt)
    const why = 'the broker does not know the topic yet, or is away'
    for (const pending of late) pending.failed(notAcknowledged(this.name, why))
  }

  /** Nothing is promised for what is left here. */
  fail(why: string): void {
    for (const pending of this.#waiting.splice(0)) pending.failed(notAcknowledged(this.name, why))
    for (const lane of this.#lanes) lane.fail(why)
  }
}
