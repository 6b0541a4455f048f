import assert from 'node:assert/strict'
import { test } from 'node:test'
import { APIS } from '../../../wire/apis.ts'
import { AUTHORIZERS } from './index.ts'

test('every API that can be read is judged, and none is judged that cannot be read', () => {
  assert.deepEqual(
    [...AUTHORIZERS.keys()].toSorted((a, b) => a - b),
    [...APIS.keys()],
  )
})
