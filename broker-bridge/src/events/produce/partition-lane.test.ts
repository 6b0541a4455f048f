import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { BATCH_HEADER_BYTES } from '../../wire/record-batch.ts'
import type { Batch } from './batch.ts'
import type { Outcome } from './outcome.ts'
import { type Leader, PartitionLane } from './partition-lane.ts'
import { PendingRecord } from './record.ts'
import type { ProduceSettings } from './settings.ts'

/** A leader that does nothing by itself: each test says what it answers, and when. */
class Script implements Leader {
  readonly lane: PartitionLane
  readonly isUp = true
  readonly told: string[] = []
  settings: ProduceSettings = {
    lingerMs: 0,
    batchBytes: 100_000,
    compression: undefined,
    failsTogether: false,
  }
  leaderLost = 0
  #ids = 0n
  #onPlan = (): void => {}

  constructor() {
    this.lane = new PartitionLane({
      topic: 't',
      partition: 3,
      settings: () => this.settings,
      onLeaderLost: () => this.leaderLost++,
      onBatch: () => {},
    })
    this.lane.setLeader(this)
  }

  attach(): void {}
  detach(): void {}
  plan(): void {
    this.#onPlan()
  }
  async newProducerId() {
    this.#ids++
    return { id: this.#ids, epoch: 0 }
  }

  add(...values: string[]): void {
    for (const value of values) this.addUntil(Number.POSITIVE_INFINITY, value)
  }

  addUntil(deadlineAt: number, value: string): void {
    const sink = {
      onStored: (partition: number, offset: bigint) => this.told.push(`${value}@${partition}:${offset}`),
      onFailed: (error: MeshError) => this.told.push(`${value}: ${error.code}`),
    }
    const record = { value: Buffer.from(value), headers: [] }
    this.lane.add(new PendingRecord(record, deadlineAt, sink))
  }

  /** The next batch, as soon as the lane plans one. */
  async next(): Promise<Batch> {
    for (;;) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onPlan = resolve
      const batch = this.lane.takeBatch()
      if (batch !== undefined) return batch
      await promise
    }
  }
}

const STORED = (baseOffset: bigint): Outcome => ({ kind: 'stored', baseOffset })
const again = (part: { maybeStored?: boolean; needsLeader?: boolean } = {}): Outcome => ({
  kind: 'again',
  reason: 'TEST',
  maybeStored: false,
  needsLeader: false,
  ...part,
})
const RENUMBER: Outcome = { kind: 'renumber' }
const TOO_LARGE: Outcome = {
  kind: 'refused',
  error: new MeshError('event_too_large', 'too large'),
  alone: true,
}

/** Producer id, epoch, sequence, records. */
const about = ({ bytes }: Batch) => [
  Number(bytes.readBigInt64BE(43)),
  bytes.readInt16BE(51),
  bytes.readInt32BE(53),
  bytes.readInt32BE(57),
]

test('records that wait leave together, and each hears its own offset', async () => {
  const script = new Script()
  script.add('a', 'b')
  const batch = await script.next()
  assert.deepEqual(about(batch), [1, 0, 0, 2])
  script.lane.onAnswer(batch, STORED(40n))
  assert.deepEqual(script.told, ['a@3:40', 'b@3:41'])
  assert.ok(script.lane.isIdle)
})

test('at most five batches are in flight, numbered one after the other', async () => {
  const script = new Script()
  for (const value of ['a', 'b', 'c', 'd', 'e', 'f']) {
    script.add(value)
    if (value !== 'f') assert.deepEqual(about(await script.next()), [1, 0, 'abcde'.indexOf(value), 1])
  }
  assert.equal(script.lane.takeBatch(), undefined)
})

test('a batch that may have been stored is repeated byte for byte, before all later ones and in order', async () => {
  const script = new Script()
  script.add('a')
  const first = await script.next()
  script.add('b')
  const second = await script.next()
  script.add('c')
  script.lane.onAnswer(first, again({ maybeStored: true, needsLeader: true }))
  assert.equal(script.lane.takeBatch(), undefined, 'nothing leaves until all in flight have their answer')
  script.lane.onAnswer(second, RENUMBER)
  assert.equal(script.leaderLost, 1)
  const repeated = [await script.next(), await script.next()]
  assert.deepEqual(repeated, [first, second])
  script.lane.onAnswer(first, STORED(0n))
  script.lane.onAnswer(second, STORED(1n))
  const third = await script.next()
  assert.deepEqual(about(third), [1, 0, 2, 1])
  assert.deepEqual(script.told, ['a@3:0', 'b@3:1'])
})

test('behind a batch that is refused the others leave under a new epoch', async () => {
  const script = new Script()
  script.add('a')
  const first = await script.next()
  script.add('b')
  const second = await script.next()
  script.lane.onAnswer(first, TOO_LARGE)
  script.lane.onAnswer(second, RENUMBER)
  const third = await script.next()
  assert.deepEqual(about(third), [1, 1, 0, 1])
  script.lane.onAnswer(third, STORED(9n))
  assert.deepEqual(script.told, ['a: event_too_large', 'b@3:9'])
})

test('what may be stored behind a refused batch is not sent under another number', async () => {
  const script = new Script()
  script.add('a')
  const first = await script.next()
  script.add('b')
  const second = await script.next()
  script.lane.onAnswer(first, TOO_LARGE)
  script.lane.onAnswer(second, again({ maybeStored: true }))
  assert.deepEqual(script.told, ['a: event_too_large', 'b: broker_unavailable'])
  assert.ok(script.lane.isIdle)
})

test('of a batch in which one record is too large the others get through, in order', async () => {
  const script = new Script()
  script.add('a', 'big', 'c')
  script.lane.onAnswer(await script.next(), TOO_LARGE)
  script.add('d')
  script.lane.onAnswer(await script.next(), STORED(0n))
  script.lane.onAnswer(await script.next(), TOO_LARGE)
  script.lane.onAnswer(await script.next(), STORED(1n))
  script.lane.onAnswer(await script.next(), STORED(2n))
  assert.deepEqual(script.told, ['a@3:0', 'big: event_too_large', 'c@3:1', 'd@3:2'])
})

test('sequences that the broker has forgotten begin anew', async () => {
  const script = new Script()
  script.add('a')
  const first = await script.next()
  script.lane.onAnswer(first, RENUMBER)
  assert.deepEqual(about(await script.next()), [1, 1, 0, 1])
})

test('a flight that nobody waits for is given up with its epoch, and its late answer means nothing', async () => {
  const script = new Script()
  script.addUntil(100, 'a')
  const first = await script.next()
  script.lane.expire(99)
  assert.deepEqual(script.told, [])
  script.lane.expire(100)
  assert.deepEqual(script.told, ['a: broker_unavailable'])
  script.add('b')
  const second = await script.next()
  assert.deepEqual(about(second), [1, 1, 0, 1])
  script.lane.onAnswer(first, STORED(0n))
  script.lane.onAnswer(second, STORED(1n))
  assert.deepEqual(script.told, ['a: broker_unavailable', 'b@3:1'])
})

test('a flight that somebody waits for goes on for all of it', async () => {
  const script = new Script()
  script.addUntil(100, 'a')
  script.add('b')
  const batch = await script.next()
  script.lane.expire(100)
  script.lane.onAnswer(batch, STORED(0n))
  assert.deepEqual(script.told, ['a: broker_unavailable', 'b@3:1'])
})

test('what waits is cut into batches of the size that the broker takes', async () => {
  const script = new Script()
  script.settings = { lingerMs: 0, batchBytes: 3_000, compression: undefined, failsTogether: false }
  script.add('x'.repeat(1_400), 'y'.repeat(1_400), 'z'.repeat(1_400))
  assert.equal((await script.next()).pending.length, 2)
  assert.equal((await script.next()).pending.length, 1)
  script.add('w'.repeat(5_000))
  const alone = await script.next()
  assert.ok(alone.bytes.length > 5_000 + BATCH_HEADER_BYTES, 'one record is never cut')
})

test('records linger until the time is up or the batch is full', async () => {
  const script = new Script()
  script.settings = { lingerMs: 3_600_000, batchBytes: 300, compression: undefined, failsTogether: false }
  script.add('a')
  assert.equal(script.lane.takeBatch(), undefined)
  script.add('b'.repeat(300))
  assert.equal((await script.next()).pending.length, 1, 'as many as fit')
  assert.equal((await script.next()).pending.length, 1, 'what is left has waited long enough')
  script.settings = { ...script.settings, lingerMs: 1 }
  script.add('c')
  assert.equal((await script.next()).pending.length, 1)
})

test('closing fails what is left, once', async () => {
  const script = new Script()
  script.add('a')
  const batch = await script.next()
  script.add('b')
  script.lane.fail('the test is over')
  script.lane.onAnswer(batch, STORED(0n))
  assert.deepEqual(script.told.sort(), ['a: broker_unavailable', 'b: broker_unavailable'])
})
