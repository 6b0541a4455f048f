import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CompatibilityLevel, EventSchema } from '@weft/schemas/event-schema'
import { incompatibilities } from './compatibility.ts'

const avro = (schema: unknown): EventSchema => ({ type: 'AVRO', text: JSON.stringify(schema) })
const record = (...fields: readonly object[]) => avro({ type: 'record', name: 'R', fields })
const id = { name: 'id', type: 'int' }
const note = { name: 'note', type: 'string', default: '' }
const must = { name: 'must', type: 'string' }

const versions = (...schemas: readonly EventSchema[]) =>
  schemas.map((schema, index) => ({ ...schema, version: index + 1 }))
const goes = (level: CompatibilityLevel, next: EventSchema, ...earlier: readonly EventSchema[]) =>
  incompatibilities(level, next, versions(...earlier)).length === 0

describe('a level', () => {
  it('BACKWARD: the new reads what the latest wrote', () => {
    assert.ok(goes('BACKWARD', record(id, note), record(id)))
    assert.ok(goes('BACKWARD', record(id), record(id, must)))
    assert.ok(!goes('BACKWARD', record(id, must), record(id)))
  })

  it('FORWARD: the latest reads what the new writes', () => {
    assert.ok(goes('FORWARD', record(id, must), record(id)))
    assert.ok(!goes('FORWARD', record(id), record(id, must)))
  })

  it('FULL: both', () => {
    assert.ok(goes('FULL', record(id, note), record(id)))
    assert.ok(!goes('FULL', record(id, must), record(id)))
    assert.ok(!goes('FULL', record(id), record(id, must)))
  })

  it('without TRANSITIVE only the latest counts', () => {
    const earlier = [record({ name: 'id', type: 'string' }), record()]
    assert.ok(goes('BACKWARD', record({ ...id, default: 0 }), ...earlier))
    const faults = incompatibilities(
      'BACKWARD_TRANSITIVE',
      record({ ...id, default: 0 }),
      versions(...earlier),
    )
    assert.equal(faults.length, 1)
    assert.match(faults[0] ?? '', /version 1: cannot read "string" as "int"/)
  })

  it('NONE: everything', () => assert.ok(goes('NONE', avro('int'), record(id))))

  it('never lets the type of schema change, but for NONE', () => {
    const [fault] = incompatibilities('BACKWARD', { type: 'JSON', text: '{}' }, versions(record(id)))
    assert.match(fault ?? '', /one is JSON, the other AVRO/)
  })
})
