import assert from 'node:assert/strict'
import { validateHeaderName, validateHeaderValue } from 'node:http'
import { test } from 'node:test'
import type { HeaderField } from '@weft/schemas/cloudevents'
import fc from 'fast-check'
import { toDeadLetter } from './dead-letter.ts'
import { type ReadRecord, toRequest, traceOf } from './record.ts'

const record = (part: Partial<ReadRecord> = {}): ReadRecord => ({
  topic: 'orders',
  partition: 2,
  offset: 9_007_199_254_740_993n,
  timestamp: 1_700_000_000_000n,
  key: null,
  value: Buffer.from('x'),
  headers: [],
  ...part,
})

test('binary keys and headers are passed without loss', () => {
  const { headers } = toRequest(
    record({ key: Buffer.from([0, 255, 37]), headers: [['Tenant', Buffer.from('café')]] }),
  )
  assert.equal(headers['weft-key'], '%00%FF%25')
  assert.equal(headers['weft-header-tenant'], 'caf%C3%A9')
  assert.equal(headers['weft-offset'], '9007199254740993')
})

test('whatever a record carries, the request can be sent', () => {
  const field = fc.tuple(fc.string(), fc.uint8Array())
  fc.assert(
    fc.property(fc.array(field), fc.option(fc.uint8Array()), (fields, key) => {
      const names = ['content-type', 'traceparent', 'tracestate', 'baggage', 'weft-id', 'ce_id']
      const known = names.map((name, index): [string, Uint8Array] => [
        name,
        fields[index]?.[1] ?? Buffer.from('é\n'),
      ])
      const { headers } = toRequest(
        record({ key: key === null ? null : Buffer.from(key), headers: [...fields, ...known] }),
      )
      for (const [name, value] of Object.entries(headers)) {
        validateHeaderName(name)
        validateHeaderValue(name, value)
      }
    }),
  )
})

test('the trace is that of the last traceparent', () => {
  const traceparent = (digit: string): [string, Buffer] => [
    'traceparent',
    Buffer.from(`00-${digit.repeat(32)}-${digit.repeat(16)}-01`),
  ]
  assert.equal(traceOf(record({ headers: [traceparent('1'), traceparent('2')] }))?.traceId, '2'.repeat(32))
  assert.equal(traceOf(record({ headers: [['traceparent', Buffer.from('nonsense')]] })), undefined)
})

test('a dead letter that failed again tells of the last failure only', () => {
  const at = new Date('2026-11-21T10:00:00Z')
  const failure = {
    group: 'g',
    subscription: 's',
    error: 'e'.repeat(2_000),
    attempts: 4,
    firstAttempt: at,
    lastAttempt: at,
  }
  const first = toDeadLetter(record({ key: Buffer.from('k'), headers: [['a', Buffer.from('1')]] }), failure)
  const stored = first.headers.map(([name, value]): HeaderField => [name, Buffer.from(String(value))])
  const again = toDeadLetter(record({ headers: stored, topic: 'orders.dlt' }), {
    ...failure,
    error: 'other',
  })
  const headers = Object.fromEntries(again.headers.map(([name, value]) => [name, String(value)]))
  assert.equal(again.headers.length, first.headers.length)
  assert.equal(headers['weft-dlt-topic'], 'orders.dlt')
  assert.equal(headers['weft-dlt-error'], 'other')
  assert.equal(headers.a, '1')
  assert.equal(String(first.key), 'k')
})
