/**
 * The records of one partition on their way to its leader, in order.
 *
 *     add ─▶ queue ──takeBatch──▶ flight (at most 5 batches, oldest first) ──stored──▶ settled
 *              ▲                      │ an answer that is not `stored`
 *              │                      ▼
 *              └─ not stored ─── held: nothing leaves until every batch in flight has its answer or lost its
 *                                connection; then what may have been stored is repeated as it is, in order
 *
 * A lane has a producer id of its own, so that a partition in trouble leaves the sequences of the others alone. Batches
 * keep their sequence when they are repeated, and the broker remembers the last five: nothing is stored twice or out of order.
 * Where a batch is refused for good, those behind it have a gap before them and were refused for that: they go back to the
 * queue and leave under a new epoch. When nobody waits for anything in flight, the flight is given up with its epoch: what is
 * still on its way then is fenced as soon as the next epoch has begun.
 */
import type { Batch, ProducerId } from './batch.ts'
import { MAX_SEQUENCE, makeBatch, settleStored } from './batch.ts'
import { notAcknowledged, type Outcome } from './outcome.ts'
import type { PendingRecord } from './record.ts'
import { RecordQueue } from './record-queue.ts'
import type { ProduceSettings } from './settings.ts'

/** What a lane asks of the broker that leads its partition. */
export interface Leader {
  readonly isUp: boolean
  attach(lane: PartitionLane): void
  detach(lane: PartitionLane): void
  /** The lane has something to send: it will be asked for it at the end of the turn. */
  plan(lane: PartitionLane): void
  newProducerId(): Promise<ProducerId>
}

export interface LaneOptions {
  readonly topic: string
  readonly partition: number
  readonly settings: () => ProduceSettings
  /** The leader is another one, or gone: somebody should ask who it is. */
  readonly onLeaderLost: () => void
  /** A batch was made of what was queued. */
  readonly onBatch: () => void
}

/** As many as a broker remembers of a producer id (max.in.flight.requests.per.connection of idempotent producers). */
const MAX_IN_FLIGHT = 5
/** A leader that has been away for this long gets no more records to wait for it: they are refused at once until it is back. */
const FAIL_FAST_AFTER_MS = 2_000
const AWAY = 'the broker is away, a connection is being tried'
const RETRY_BASE_MS = 20
const RETRY_MAX_MS = 1_000
const MAX_EPOCH = 0x7fff

export class PartitionLane {
  readonly topic: string
  readonly partition: number
  readonly #options: LaneOptions
  readonly #queue = new RecordQueue()
  #flight: Batch[] = []
  /** Batches of the flight whose answer is awaited. */
  #awaited = 0
  #producer: ProducerId | undefined
  #sequence = 0
  #isAskingForId = false
  #needsEpoch = false
  #isHeld = false
  #failures = 0
  #holdTimer: NodeJS.Timeout | undefined
  #lingerTimer: NodeJS.Timeout | undefined
  #leader: Leader | undefined
  #downSince: number | undefined = performance.now()

  constructor(options: LaneOptions) {
    this.topic = options.topic
    this.partition = options.partition
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#queue.isEmpty && this.#flight.length === 0
  }

  get isUp(): boolean {
    return this.#downSince === undefined
  }

  /** More waits than one batch takes: it is worth a request of its own, whatever is in flight. */
  get isFull(): boolean {
    return this.#queue.bytes >= this.#options.settings().batchBytes
  }

  add(pending: PendingRecord): void {
    if (this.#downSince !== undefined && performance.now() - this.#downSince > FAIL_FAST_AFTER_MS) {
      if (this.#options.settings().failsTogether) {
        this.#queue.add(pending)
        this.fail(AWAY)
      } else pending.failed(notAcknowledged(this.topic, AWAY))
      return
    }
    this.#queue.add(pending)
    const { lingerMs } = this.#options.settings()
    if (lingerMs === 0 || this.isFull) this.#leader?.plan(this)
    else
      this.#lingerTimer ??= setTimeout(() => {
        this.#lingerTimer = undefined
        this.#leader?.plan(this)
      }, lingerMs)
  }

  /** Another leader, the same one with a new connection, or none. */
  setLeader(leader: Leader | undefined): void {
    if (leader === this.#leader) return
    this.#leader?.detach(this)
    this.#leader = leader
    if (leader === undefined) this.onLeaderDown()
    else {
      leader.attach(this)
      if (leader.isUp) this.onLeaderUp()
      else this.onLeaderDown()
    }
  }

  onLeaderUp(): void {
    this.#downSince = undefined
    this.#leader?.plan(this)
  }

  onLeaderDown(): void {
    this.#downSince ??= performance.now()
    this.#options.onLeaderLost()
  }

  /** What leaves next, or undefined where nothing can. */
  takeBatch(): Batch | undefined {
    if (this.#isHeld) return undefined
    const repeated = this.#flight.find((batch) => batch.outcome !== undefined)
    if (repeated !== undefined) {
      repeated.outcome = undefined
      this.#awaited++
      return repeated
    }
    if (!this.#hasNew) return undefined
    if (this.#producer === undefined) {
      void this.#askForId()
      return undefined
    }
    return this.#newBatch(this.#producer)
  }

  #newBatch(producer: ProducerId): Batch {
    const { batchBytes, compression } = this.#options.settings()
    // The broker's limit is on the batch, not on the record.
    const pending = this.#queue.take(batchBytes)
    clearTimeout(this.#lingerTimer)
    this.#lingerTimer = undefined
    const batch = makeBatch(pending, { ...producer, sequence: this.#sequence }, compression)
    this.#sequence = (this.#sequence + pending.length) & MAX_SEQUENCE
    this.#flight.push(batch)
    this.#awaited++
    this.#options.onBatch()
    return batch
  }

  /** True while `takeBatch` would give something, or would as soon as it has a producer id. */
  get hasMore(): boolean {
    if (this.#isHeld || this.#isAskingForId) return false
    return this.#hasNew || this.#flight.some((batch) => batch.outcome !== undefined)
  }

  get #hasNew(): boolean {
    if (this.#queue.isEmpty || this.#flight.length >= MAX_IN_FLIGHT) return false
    return this.#lingerTimer === undefined || this.isFull
  }

  onAnswer(batch: Batch, outcome: Outcome): void {
    if (batch.isAbandoned) return
    this.#awaited--
    if (outcome.kind === 'stored') {
      this.#failures = 0
      this.#flight.splice(this.#flight.indexOf(batch), 1)
      settleStored(batch, this.partition, outcome.baseOffset)
      if (this.#flight.length === 0 && this.#needsEpoch) this.#newEpoch()
    } else {
      batch.outcome = outcome
      this.#isHeld = true
    }
    if (this.#isHeld && this.#awaited === 0) this.#recover()
  }

  /** Every batch that is left in the flight has an answer, and none is `stored`. */
  #recover(): void {
    const flight = this.#flight
    const end = flight.findIndex(
      ({ outcome }, at) => isFinal(outcome) && (at === 0 || outcome?.kind === 'refused'),
    )
    const repeated = end === -1 ? flight : flight.slice(0, end)
    this.#flight = repeated
    if (end !== -1) this.#giveBack(flight.slice(end))
    if (repeated.some(({ outcome }) => outcome?.kind === 'again' && outcome.needsLeader))
      this.#options.onLeaderLost()
    if (repeated.length === 0) this.#resume()
    else this.#holdTimer = setTimeout(() => this.#resume(), backoffMs(this.#failures++))
  }

  /** Of these the first is not stored; those behind it have a gap before them. */
  #giveBack(batches: readonly Batch[]): void {
    const again: PendingRecord[] = []
    let alone = 0
    for (const [at, { outcome, pending }] of batches.entries()) {
      if (at === 0 && outcome?.kind === 'refused') {
        if (outcome.alone && pending.length > 1) {
          alone = pending.length
          again.push(...pending)
        } else for (const each of pending) each.failed(outcome.error)
      } else if (outcome?.kind === 'again' && outcome.maybeStored) {
        // Under a new epoch nothing would tell whether it is there already.
        for (const each of pending) each.failed(notAcknowledged(this.topic, outcome.reason))
      } else again.push(...pending)
    }
    this.#queue.giveBack(again, alone)
    this.#needsEpoch = true
  }

  #resume(): void {
    this.#holdTimer = undefined
    this.#isHeld = false
    if (this.#flight.length === 0 && this.#needsEpoch) this.#newEpoch()
    this.#leader?.plan(this)
  }

  #newEpoch(): void {
    this.#needsEpoch = false
    this.#sequence = 0
    const producer = this.#producer
    this.#producer =
      producer === undefined || producer.epoch === MAX_EPOCH
        ? undefined
        : { id: producer.id, epoch: producer.epoch + 1 }
  }

  async #askForId(): Promise<void> {
    const leader = this.#leader
    if (leader === undefined || this.#isAskingForId) return
    this.#isAskingForId = true
    try {
      this.#producer = await leader.newProducerId()
      this.#isAskingForId = false
    } catch {
      // A connection that was lost plans again when it is back; a broker that is not ready is asked again.
      this.#isAskingForId = false
      this.#isHeld = true
      this.#holdTimer = setTimeout(() => this.#resume(), backoffMs(this.#failures++))
      return
    }
    this.#leader?.plan(this)
  }

  /** Tells those whose time is up, the oldest first; gives up the flight when nobody waits for any of it. */
  expire(now: number): void {
    let isWaitedFor = this.#flight.length === 0
    for (const { pending } of this.#flight) {
      for (const each of pending) {
        if (now >= each.deadlineAt) each.failed(notAcknowledged(this.topic, this.#reason()))
        else if (!each.isSettled) isWaitedFor = true
      }
    }
    this.#queue.expire(now, () => notAcknowledged(this.topic, this.#reason()))
    if (!isWaitedFor) this.#abandon()
  }

  #reason(): string {
    const outcome = this.#flight.find((batch) => batch.outcome?.kind === 'again')?.outcome
    if (outcome?.kind === 'again') return outcome.reason
    return this.isUp ? 'it did not come in time' : 'the partition has no leader that could be reached'
  }

  #abandon(): void {
    if (this.#flight.length > 0) this.#newEpoch()
    for (const batch of this.#flight) batch.isAbandoned = true
    this.#flight = []
    this.#awaited = 0
    clearTimeout(this.#holdTimer)
    this.#resume()
  }

  /** Nothing is promised for what is left here; told in order. */
  fail(why: string): void {
    const error = notAcknowledged(this.topic, why)
    for (const { pending } of this.#flight) for (const each of pending) each.failed(error)
    this.#queue.fail(error)
    this.#abandon()
    clearTimeout(this.#lingerTimer)
    this.#lingerTimer = undefined
  }
}

const isFinal = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === 'refused' || outcome?.kind === 'renumber'

const backoffMs = (failures: number): number =>
  Math.random() * Math.min(RETRY_MAX_MS, RETRY_BASE_MS * 2 ** Math.min(failures, 10))
