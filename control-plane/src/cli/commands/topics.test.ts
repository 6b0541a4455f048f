import assert from 'node:assert/strict'
import { test } from 'node:test'
import { weft } from '../cli.test-support.ts'
import { targetOf } from './topics.ts'

const NOW = new Date(2026, 10, 27, 12, 0, 0)
const at = (to: string) => (targetOf({ to }, NOW) as { timeMs: number }).timeMs

test('a place in a topic is a word, a time, how long ago, or offsets', () => {
  assert.equal(targetOf({ to: 'earliest' }, NOW), 'earliest')
  assert.equal(at('15m'), NOW.getTime() - 900_000)
  assert.equal(at('2d'), NOW.getTime() - 172_800_000)
  assert.equal(at('10:00'), new Date(2026, 10, 27, 10).getTime())
  assert.equal(
    at('13:30:05'),
    new Date(2026, 10, 26, 13, 30, 5).getTime(),
    'what is still to come was yesterday',
  )
  assert.equal(at('2026-11-27T10:00:00Z'), Date.UTC(2026, 10, 27, 10))
  assert.deepEqual(targetOf({ offset: ['0=12', '3=0'] }, NOW), { offsets: { 0: 12, 3: 0 } })
})

test('what is none is wrong usage, before anything is asked', async () => {
  for (const to of ['', 'yesterday', '25:00', '10:75', '15 m', '2026-11-27', '-5m', '1e3'])
    assert.throws(() => targetOf({ to }, NOW), /expected earliest, latest/, to)
  for (const offset of ['0', '0=', '=5', '0=-1', 'a=1'])
    assert.throws(() => targetOf({ offset: [offset] }, NOW), /as 0=1200/)
  const both = await weft(['topics', 'rewind', 'orders', '--group', 'g', '--to', '15m', '--offset', '0=1'])
  assert.deepEqual([both.code, /either --to or --offset/.test(both.stderr)], [2, true])
  assert.equal((await weft(['topics', 'rewind', 'orders', '--to', '15m'])).code, 2, 'the group is not said')
})
