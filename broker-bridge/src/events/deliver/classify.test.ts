import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Answer, classify, describe, isUnknownAction } from './classify.ts'

const status = (code: number, action?: string): Answer => ({
  kind: 'status',
  status: code,
  retryAfter: undefined,
  action,
})

test('2xx acknowledges; 4xx is poison, but those that speak of the moment; the rest is retried', () => {
  for (const code of [200, 202, 204, 299]) assert.equal(classify(status(code)), 'acknowledged')
  for (const code of [400, 401, 403, 404, 409, 410, 413, 422, 451, 499])
    assert.equal(classify(status(code)), 'poison')
  for (const code of [0, 199, 301, 304, 408, 425, 429, 500, 502, 503, 504, 599])
    assert.equal(classify(status(code)), 'retry')
})

test('weft-action wins over the status, in any case of letters; one that is unknown says nothing', () => {
  for (const code of [200, 400, 500]) {
    assert.equal(classify(status(code, 'retry')), 'retry')
    assert.equal(classify(status(code, ' Drop ')), 'dropped')
    assert.equal(classify(status(code, 'DEAD-LETTER')), 'poison')
    for (const action of ['', 'acknowledge', 'retry, drop', 'dead letter'])
      assert.equal(classify(status(code, action)), classify(status(code)))
  }
  assert.equal(isUnknownAction('dropped'), true)
  assert.equal(isUnknownAction('drop'), false)
  assert.equal(isUnknownAction(undefined), false)
  assert.equal(describe(status(200, 'Drop')), 'the app answered 200 and weft-action: drop')
})

test('nobody listening is no attempt, silence and a broken connection are', () => {
  assert.equal(classify({ kind: 'refused', message: '' }), 'app-down')
  assert.equal(classify({ kind: 'timeout', message: '' }), 'retry')
  assert.equal(classify({ kind: 'broken', message: '' }), 'retry')
  assert.equal(classify({ kind: 'aborted' }), 'aborted')
})
