import assert from 'node:assert/strict'
import { it } from 'node:test'
import { applyRecord, type LogRecord, levelRecord, removalRecord, versionRecord } from './log-records.ts'
import { type SchemaVersion, Subjects } from './subjects.ts'

const version: SchemaVersion = {
  ...{ subject: 'a', version: 1, id: 5, type: 'JSON', text: '{}', isDeleted: false },
  references: [{ name: 'b', subject: 'b', version: 1 }],
}
const apply = (subjects: Subjects, { key, value }: LogRecord) =>
  applyRecord(subjects, Buffer.from(key), value === null ? null : Buffer.from(value))
const raw = (subjects: Subjects, key: unknown, value: unknown) =>
  apply(subjects, { key: JSON.stringify(key), value: value === null ? null : JSON.stringify(value) })

it('what is written is read again', () => {
  const subjects = new Subjects()
  apply(subjects, versionRecord(version))
  apply(subjects, levelRecord('a', 'FULL'))
  apply(subjects, levelRecord(undefined, 'NONE'))
  assert.deepEqual(subjects.versions('a'), [version])
  assert.deepEqual([subjects.levelOf('a'), subjects.level], ['FULL', 'NONE'])
  apply(subjects, levelRecord('a', undefined))
  apply(subjects, removalRecord(version))
  assert.deepEqual([subjects.names(), subjects.levelOf('a'), subjects.idFor(version)], [[], 'NONE', 6])
})

it('reads a log that the Confluent Schema Registry has written', () => {
  const subjects = new Subjects()
  raw(subjects, { keytype: 'NOOP', magic: 0 }, null)
  const key = (n: number) => ({ keytype: 'SCHEMA', subject: 'orders-value', version: n, magic: 1 })
  for (const n of [1, 2])
    raw(subjects, key(n), {
      ...{ subject: 'orders-value', version: n, id: n, md5: 'x', deleted: false },
      ...{ schema: n === 1 ? '"int"' : '"long"', references: [], metadata: null, ruleSet: null },
    })
  raw(
    subjects,
    { keytype: 'CONFIG', subject: 'orders-value', magic: 0 },
    { alias: null, compatibilityLevel: 'FORWARD' },
  )
  raw(
    subjects,
    { keytype: 'DELETE_SUBJECT', subject: 'orders-value', magic: 0 },
    { subject: 'orders-value', version: 1 },
  )
  assert.deepEqual(
    subjects.live('orders-value').map(({ id }) => id),
    [2],
  )
  assert.equal(subjects.levelOf('orders-value'), 'FORWARD')
})

it('a record that is not understood changes nothing', () => {
  const subjects = new Subjects()
  const key = { keytype: 'SCHEMA', subject: 'a', version: 1, magic: 1 }
  const faulty: readonly (readonly [unknown, unknown])[] = [
    ['text', {}],
    [{ ...key, version: 'x' }, {}],
    [{ ...key, subject: 5 }, {}],
    [key, { id: 1 }],
    [key, { id: -1, schema: '"int"' }],
    [key, { id: 2 ** 40, schema: '"int"' }],
    [key, { id: 1, schema: 'message X {}', schemaType: 'PROTOBUF' }],
    [key, { id: 1, schema: '"int"', references: [{}] }],
    [key, 'text'],
  ]
  for (const [faultyKey, value] of faulty)
    assert.throws(() => raw(subjects, faultyKey, value), JSON.stringify(value))
  assert.throws(() => applyRecord(subjects, null, null))
  assert.throws(() => applyRecord(subjects, Buffer.from([0xff]), Buffer.from('{}')))
  assert.deepEqual(subjects.names(), [])
  assert.equal(
    subjects.idFor(version),
    2,
    'the id of the schema of a type that is not known is not given again',
  )
})
