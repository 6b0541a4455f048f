import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { produceError, storedDespite } from './produce-errors.ts'

const protocolError = (apiId: string) => Object.assign(new Error(apiId), { apiId })
const nested = (...errors: Error[]) => new AggregateError([new AggregateError(errors, 'inner')], 'outer')

test('the broker’s refusals keep their meaning, everything else is no acknowledgement', () => {
  assert.equal(produceError(nested(protocolError('MESSAGE_TOO_LARGE')), 't').code, 'event_too_large')
  assert.equal(
    produceError(nested(protocolError('TOPIC_AUTHORIZATION_FAILED')), 't').code,
    'permission_denied',
  )
  assert.equal(produceError(nested(protocolError('INVALID_RECORD')), 't').code, 'invalid_event')
  assert.equal(produceError(nested(protocolError('NOT_ENOUGH_REPLICAS')), 't').code, 'broker_unavailable')
  for (const thrown of [undefined, null, 'text', 7, new Error('x'), { errors: 'no list' }])
    assert.equal(produceError(thrown, 't').code, 'broker_unavailable')
  const own = new MeshError('draining', 'd')
  assert.equal(produceError(own, 't'), own)
})

test('partitions that were written although the send failed are found, wherever the client put them', () => {
  const response = {
    responses: [
      {
        partitionResponses: [
          { index: 0, errorCode: 0, baseOffset: 7n },
          { index: 1, errorCode: 10, baseOffset: -1n },
        ],
      },
    ],
  }
  const inner = Object.assign(new Error('partial'), { response })
  const error = Object.assign(nested(inner), {
    produced: { offsets: [{ topic: 't', partition: 3, offset: 9n }] },
  })
  assert.deepEqual(
    storedDespite(error),
    new Map([
      [0, 7n],
      [3, 9n],
    ]),
  )
  assert.equal(storedDespite(undefined).size, 0)
})
