import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AckedPrefix } from './acked-prefix.ts'

test('nothing past an unacknowledged record may be committed', () => {
  const prefix = new AckedPrefix(10n)
  for (const offset of [10n, 11n, 12n, 13n, 15n]) prefix.add(offset)
  prefix.acknowledge(11n)
  prefix.acknowledge(13n)
  assert.equal(prefix.committable, 10n)
  prefix.acknowledge(10n)
  assert.equal(prefix.committable, 12n)
  prefix.acknowledge(12n)
  assert.equal(prefix.committable, 15n, 'the gap at 14 holds no record')
  prefix.acknowledge(15n)
  assert.equal(prefix.committable, 16n)
  prefix.advance(20n)
  assert.equal(prefix.committable, 20n, 'markers at the end of what was read')
})

test('offsets that go back are a fault of the reader', () => {
  const prefix = new AckedPrefix(5n)
  assert.throws(() => prefix.add(4n), RangeError)
  prefix.add(5n)
  assert.throws(() => prefix.add(5n), RangeError)
})

test('committable is the first offset that is not acknowledged, in any order of acknowledgement', () => {
  const scenario = fc.record({
    gaps: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 60 }),
    order: fc.infiniteStream(fc.nat()),
    acknowledgements: fc.nat({ max: 60 }),
    tail: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(scenario, ({ gaps, order, acknowledgements, tail }) => {
      let next = 100n
      const offsets = gaps.map((gap) => (next += BigInt(gap)))
      const end = next + 1n + BigInt(tail)
      const prefix = new AckedPrefix(100n)
      for (const offset of offsets) prefix.add(offset)
      prefix.advance(end)
      const left = [...offsets]
      for (let count = 0; count < acknowledgements && left.length > 0; count++) {
        const [pick = 0] = order.take(1)
        const [offset = 0n] = left.splice(pick % left.length, 1)
        prefix.acknowledge(offset)
        const first = left.reduce<bigint | undefined>(
          (least, each) => (least === undefined || each < least ? each : least),
          undefined,
        )
        assert.equal(prefix.committable, first ?? end)
      }
    }),
  )
})

test('memory is given back as the prefix moves on', () => {
  const prefix = new AckedPrefix(0n)
  for (let offset = 0n; offset < 100_000n; offset++) {
    prefix.add(offset)
    prefix.acknowledge(offset)
    assert.equal(prefix.span, 0)
  }
  assert.equal(prefix.committable, 100_000n)
})
