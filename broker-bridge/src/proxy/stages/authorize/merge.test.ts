import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inClientOrder } from './merge.ts'

test('entries come in the order of the request; one that was named twice comes twice, what was not named comes last', () => {
  const entries = [
    { name: 'b', from: 'broker' },
    { name: 'x', from: 'broker' },
    { name: 'a', from: 'proxy' },
    { name: 'a', from: 'proxy again' },
  ]
  const order = inClientOrder(['a', 'b', 'a', 'missing'], entries, ({ name }) => name)
  assert.deepEqual(
    order.map(({ from }) => from),
    ['proxy', 'broker', 'proxy again', 'broker'],
  )
})
