import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { StreamTable } from './stream-table.ts'

const idsOf = (table: StreamTable<{ id: number }>): number[] =>
  table
    .all()
    .map(({ id }) => id)
    .toSorted((a, b) => a - b)

describe('the table of streams', () => {
  it('holds what a Map would, whatever comes and goes', () => {
    // Few numbers that are far apart: they fall on each other's places in tables of every size.
    const id = fc.tuple(fc.nat(7), fc.nat(40)).map(([near, far]) => near * 2 + 1 + far * 64)
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), id), { maxLength: 300 }), (steps) => {
        const table = new StreamTable<{ id: number }>()
        const model = new Map<number, { id: number }>()
        for (const [isArrival, id] of steps) {
          if (!isArrival) {
            table.delete(id)
            model.delete(id)
          } else {
            const stream = { id }
            table.add(stream)
            model.set(id, stream)
          }
          assert.equal(table.size, model.size)
          assert.equal(table.get(id), model.get(id))
        }
        assert.deepEqual(
          idsOf(table),
          [...model.keys()].toSorted((a, b) => a - b),
        )
        for (const [id, stream] of model) assert.equal(table.get(id), stream)
      }),
    )
  })

  it('finds a stream that stays while thousands pass by', () => {
    const table = new StreamTable<{ id: number }>()
    const long = { id: 1 }
    table.add(long)
    for (let id = 3; id < 20_000; id += 2) {
      table.add({ id })
      if (id > 9) table.delete(id - 6)
    }
    assert.equal(table.get(1), long)
    assert.equal(table.size, 5)
    table.clear()
    assert.deepEqual([table.size, table.get(1), table.all()], [0, undefined, []])
  })
})
