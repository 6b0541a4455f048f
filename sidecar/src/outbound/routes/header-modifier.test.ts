import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { headOf } from '../request-head.test-support.ts'
import { modifyRequestHeaders, modifyResponseHeaders } from './header-modifier.ts'
import { RecordedService, recordedCall } from './recorded.test-support.ts'

const SETTINGS = {
  set: [
    { name: 'a', value: '1' },
    { name: 'new', value: '2' },
  ],
  add: [{ name: 'b', value: '3' }],
  remove: ['c'],
}
const CAME = ['a', 'x', 'a', 'y', 'b', '0', 'c', 'z', 'c', 'z']
const LEFT = ['a', '1', 'b', '0', 'new', '2', 'b', '3']

describe('header modifiers', () => {
  it('set, add and remove fields of the request', () => {
    const inner = new RecordedService()
    recordedCall(modifyRequestHeaders(inner, SETTINGS), headOf({ fields: [...CAME] }))
    assert.deepEqual(inner.heads[0]?.fields, LEFT)
  })

  it('set, add and remove fields of the answer', () => {
    const { fields } = recordedCall(modifyResponseHeaders(new RecordedService(CAME), SETTINGS), headOf({}))
    assert.deepEqual(fields, LEFT)
  })

  it('cost nothing where there are none', () => {
    const inner = new RecordedService()
    assert.equal(modifyRequestHeaders(inner, undefined), inner)
    assert.equal(modifyResponseHeaders(inner, undefined), inner)
  })
})
