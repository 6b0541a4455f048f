import assert from 'node:assert/strict'
import { it } from 'node:test'
import { firstValue, onlyValue, removeFields, setField } from './fields.ts'

it('a field is found by its name, and only alone where only one may be', () => {
  const fields = ['a', '1', 'b', '2', 'a', '3']

  assert.equal(firstValue(fields, 'a'), '1')
  assert.equal(onlyValue(fields, 'a'), undefined)
  assert.equal(onlyValue(fields, 'b'), '2')
  assert.equal(firstValue(fields, 'c'), undefined)
})

it('a field that is set replaces all of its name', () => {
  const fields = ['a', '1', 'b', '2', 'a', '3', 'c', '4']

  setField(fields, 'a', 'x')
  setField(fields, 'd', 'y')

  assert.deepEqual(fields, ['a', 'x', 'b', '2', 'c', '4', 'd', 'y'])
})

it('fields are removed in place, the order of the others kept', () => {
  const fields = ['a', '1', 'b', '2', 'c', '3']

  removeFields(fields, (name) => name !== 'b')

  assert.deepEqual(fields, ['b', '2'])
})
