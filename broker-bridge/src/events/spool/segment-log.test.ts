import assert from 'node:assert/strict'
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { OutgoingRecord } from '../produce/record.ts'
import { entryEnd, fromEntry, toEntry } from './entry.ts'
import { SegmentLog } from './segment-log.ts'

interface Opened {
  readonly log: SegmentLog
  readonly damage: number[]
}

async function folderOf(test: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-spool-'))
  test.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function open(folder: string): Promise<Opened> {
  const damage: number[] = []
  const log = await SegmentLog.open({ folder, entryEnd, onDamage: (_file, bytes) => damage.push(bytes) })
  return { log, damage }
}

const record = (value: string): OutgoingRecord => ({ value: Buffer.from(value), headers: [] })
const values = (entries: readonly Buffer[]) => entries.map((entry) => String(fromEntry(entry).value))

test('what was appended is taken in order, also by the next process, until it is committed', async (context) => {
  const folder = await folderOf(context)
  const first = await open(folder)
  await Promise.all(['a', 'b', 'c'].map((value) => first.log.append(toEntry(record(value)))))
  const { entries } = await first.log.take(1_000_000)
  assert.deepEqual(values(entries), ['a', 'b', 'c'])
  await first.log.close()

  const second = await open(folder)
  const some = await second.log.take(1)
  assert.deepEqual(values(some.entries), ['a'])
  await second.log.commit(some.next)
  await second.log.append(toEntry(record('d')))
  await second.log.close()

  const third = await open(folder)
  const rest = await third.log.take(1_000_000)
  assert.deepEqual(values(rest.entries), ['b', 'c', 'd'])
  await third.log.commit(rest.next)
  assert.equal(third.log.bytes, 0)
  await third.log.close()
  assert.deepEqual(third.damage, [])
})

test('an entry that a crash has cut off goes, those before it stay, and later ones follow them', async (context) => {
  const folder = await folderOf(context)
  const first = await open(folder)
  await first.log.append(toEntry(record('whole')))
  await first.log.append(toEntry(record('cut off')))
  await first.log.close()
  const file = join(folder, '0000000001.log')
  await truncate(file, (await readFile(file)).length - 3)

  const second = await open(folder)
  assert.equal(second.damage.length, 1)
  await second.log.append(toEntry(record('later')))
  const { entries } = await second.log.take(1_000_000)
  assert.deepEqual(values(entries), ['whole', 'later'])
  await second.log.close()
})

test('a bit that has flipped is noticed, and never published', async (context) => {
  const folder = await folderOf(context)
  const first = await open(folder)
  await first.log.append(toEntry(record('sound')))
  await first.log.append(toEntry(record('damaged')))
  await first.log.close()
  const file = join(folder, '0000000001.log')
  const bytes = await readFile(file)
  bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1
  await writeFile(file, bytes)

  const second = await open(folder)
  assert.deepEqual(values((await second.log.take(1_000_000)).entries), ['sound'])
  assert.equal(second.damage.length, 1)
  await second.log.close()
})

test('segments that are done are removed; one larger than what is taken at once comes whole', async (context) => {
  const folder = await folderOf(context)
  const { log } = await open(folder)
  const large = 'x'.repeat(5 * 1024 * 1024)
  for (const value of ['1', '2', '3', '4']) await log.append(toEntry(record(value + large)))
  assert.equal((await readdir(folder)).filter((name) => name.endsWith('.log')).length, 2)
  for (const value of ['1', '2', '3', '4']) {
    const { entries, next } = await log.take(1_000_000)
    assert.deepEqual(
      values(entries).map((each) => each[0]),
      [value],
    )
    await log.commit(next)
  }
  assert.equal(log.bytes, 0)
  assert.deepEqual((await log.take(1_000_000)).entries, [])
  await log.close()
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.log')),
    ['0000000002.log'],
  )
})

test('garbage where the position should stand makes everything be taken again', async (context) => {
  const folder = await folderOf(context)
  const first = await open(folder)
  await first.log.append(toEntry(record('a')))
  await first.log.commit((await first.log.take(1_000)).next)
  await first.log.close()
  await appendFile(join(folder, 'position'), 'garbage')
  const second = await open(folder)
  assert.deepEqual(values((await second.log.take(1_000)).entries), ['a'])
  await second.log.close()
})

test('key, headers, time and partition of a record come back as they were', () => {
  const sent: OutgoingRecord = {
    key: Buffer.from('k'),
    value: null,
    headers: [['a', 'text']],
    timestampMs: 1_577_836_800_000,
    partition: 3,
  }
  const { key, headers, ...rest } = fromEntry(toEntry(sent))
  assert.equal(String(key), 'k')
  assert.deepEqual(
    headers.map(([name, value]) => [name, String(value)]),
    [['a', 'text']],
  )
  assert.deepEqual(rest, { value: null, timestampMs: 1_577_836_800_000, partition: 3 })
})
