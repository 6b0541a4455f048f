import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Item, KeyLanes } from './key-lanes.ts'

const take = <T>(lanes: KeyLanes<T>): Item<T>[] => {
  const items: Item<T>[] = []
  for (let item = lanes.next(); item !== undefined; item = lanes.next()) items.push(item)
  return items
}

test('of each key one item is out, other keys and items without a key pass', () => {
  const lanes = new KeyLanes<string>(() => 10)
  for (const [order, key] of ['a', 'a', 'b', undefined, undefined, 'a'].entries())
    lanes.add(key, BigInt(order), `${key}${order}`)
  const out = take(lanes)
  assert.deepEqual(
    out.map(({ value }) => value),
    ['a0', 'b2', 'undefined3', 'undefined4'],
  )
  const [first] = out
  assert.ok(first)
  lanes.done(first)
  assert.deepEqual(
    take(lanes).map(({ value }) => value),
    ['a1'],
  )
})

test('with one in flight the order is that of the partition', () => {
  const lanes = new KeyLanes<number>(() => 1)
  const keys = ['a', 'b', 'a', undefined, 'b', 'a']
  for (const [order, key] of keys.entries()) lanes.add(key, BigInt(order), order)
  const seen: number[] = []
  for (let item = lanes.next(); item !== undefined; item = lanes.next()) {
    assert.equal(lanes.next(), undefined)
    seen.push(item.value)
    lanes.done(item)
  }
  assert.deepEqual(seen, [0, 1, 2, 3, 4, 5])
})

test('keys never overtake themselves, the limit holds, and all items come out once', () => {
  const item = fc.option(fc.constantFrom('a', 'b', 'c', 'd'), { nil: undefined })
  fc.assert(
    fc.property(
      fc.array(item, { maxLength: 80 }),
      fc.integer({ min: 1, max: 6 }),
      fc.infiniteStream(fc.nat()),
      (keys, limit, dice) => {
        const lanes = new KeyLanes<number>(() => limit)
        const out: Item<number>[] = []
        const seen: number[] = []
        let added = 0
        while (seen.length < keys.length) {
          const [roll = 0] = dice.take(1)
          if (added < keys.length && roll % 2 === 0) {
            lanes.add(keys[added], BigInt(added), added)
            added++
          }
          out.push(...take(lanes))
          assert.ok(out.length <= limit)
          assert.equal(lanes.out, out.length)
          const busy = out.flatMap(({ key }) => key ?? [])
          assert.equal(new Set(busy).size, busy.length, 'one of each key')
          if (out.length === 0) continue
          const [done] = out.splice(roll % out.length, 1)
          assert.ok(done)
          seen.push(done.value)
          lanes.done(done)
        }
        for (const key of ['a', 'b', 'c', 'd']) {
          const mine = seen.filter((value) => keys[value] === key)
          assert.deepEqual(
            mine,
            [...mine].sort((a, b) => a - b),
          )
        }
        assert.equal(new Set(seen).size, keys.length)
      },
    ),
  )
})
