import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Attempt } from '../deliver/receiver.ts'
import { StreamReceiver } from './stream-receiver.ts'

const ATTEMPT: Attempt = {
  record: { topic: 't', partition: 0, offset: 0n, timestamp: 0n, key: null, value: null, headers: [] },
  settings: {
    name: 's',
    topic: 't',
    group: 'g',
    startAt: 'earliest',
    maxInFlight: 1,
    timeoutMs: 60_000,
    retry: { attempts: 0, backoffBaseMs: 1, backoffMaxMs: 1 },
    deadLetterTopic: 't.dlt',
  },
  attempt: 1,
  traceparent: '',
}
const ACKNOWLEDGED = { kind: 'settled', verdict: 'acknowledged' } as const
const never = new AbortController().signal

function attached(receiver: StreamReceiver) {
  const delivered: bigint[] = []
  const closed: bigint[] = []
  const stream = {
    deliver: (delivery: bigint) => delivered.push(delivery),
    closed: (delivery: bigint) => closed.push(delivery),
  }
  return { taker: receiver.attach(stream), delivered, closed }
}

describe('the receiver of a subscription that streams take from', () => {
  it('is open while one of the streams takes more, and not after', async () => {
    const receiver = new StreamReceiver(() => {})
    assert.equal((await receiver.take(ATTEMPT, never)).kind, 'refused')
    const { taker } = attached(receiver)
    assert.equal(receiver.gate.isOpen, false)
    taker.grant(1)
    assert.equal(receiver.gate.isOpen, true)
    const first = receiver.take(ATTEMPT, never)
    assert.equal(receiver.gate.isOpen, false)
    taker.settle(1n, ACKNOWLEDGED)
    assert.deepEqual(await first, ACKNOWLEDGED)
    assert.equal(receiver.gate.isOpen, false)
    taker.pause()
    taker.grant(1)
    assert.equal(receiver.gate.isOpen, false)
    taker.resume()
    assert.equal(receiver.gate.isOpen, true)
    taker.detach()
    assert.equal(receiver.gate.isOpen, false)
    receiver.close()
  })

  it('stays open for who found no room where there is some since', async () => {
    const receiver = new StreamReceiver(() => {})
    const { taker } = attached(receiver)
    const refused = receiver.take(ATTEMPT, never)
    taker.grant(1)
    await refused
    receiver.gate.shut()
    assert.equal(receiver.gate.isOpen, true)
    taker.detach()
    receiver.close()
  })

  it('gives each to the stream with the most room', () => {
    const receiver = new StreamReceiver(() => {})
    const [one, two] = [attached(receiver), attached(receiver)]
    one.taker.grant(1)
    two.taker.grant(3)
    for (let count = 0; count < 4; count++) void receiver.take(ATTEMPT, never)
    assert.deepEqual([one.delivered.length, two.delivered.length], [1, 3])
    for (const { taker } of [one, two]) taker.detach()
    receiver.close()
  })

  it('closes each once: settled, taken away, or left behind', async () => {
    const receiver = new StreamReceiver(() => {})
    const { taker, closed } = attached(receiver)
    taker.grant(3)
    const lost = new AbortController()
    const answers = [never, lost.signal, never].map((signal) => receiver.take(ATTEMPT, signal))
    assert.equal(taker.settle(1n, ACKNOWLEDGED), true)
    assert.equal(taker.settle(1n, ACKNOWLEDGED), false)
    lost.abort()
    assert.equal(taker.settle(2n, ACKNOWLEDGED), false)
    taker.detach()
    assert.deepEqual(
      (await Promise.all(answers)).map(({ kind }) => kind),
      ['settled', 'aborted', 'broken'],
    )
    assert.deepEqual(closed, [1n, 2n, 3n])
    assert.deepEqual(
      [taker.hasDelivered(0n), taker.hasDelivered(3n), taker.hasDelivered(4n)],
      [false, true, false],
    )
    receiver.close()
  })

  it('is attended for a while after the last one left', (test) => {
    test.mock.timers.enable({ apis: ['setTimeout'] })
    let left = 0
    const receiver = new StreamReceiver(() => left++)
    assert.equal(receiver.isAttended, false)
    attached(receiver).taker.detach()
    assert.equal(receiver.isAttended, true)
    const { taker } = attached(receiver)
    test.mock.timers.tick(60_000)
    assert.equal(left, 0)
    taker.detach()
    test.mock.timers.tick(60_000)
    assert.deepEqual([left, receiver.isAttended], [1, false])
    receiver.close()
  })
})
