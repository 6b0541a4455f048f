import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderCreated, paymentCompleted, paymentFailed } from '../chassis/service.test-support.ts'
import { fromHttp, fromKafka, InvalidEventError, toHttpHeaders, toKafkaHeaders } from './cloud-event.ts'
import { asShopEvent } from './shop-events.ts'

test('an event goes through HTTP headers and back', () => {
  const event = orderCreated()

  assert.deepEqual(fromHttp(toHttpHeaders(event), event.data), event)
})

test('an event goes through Kafka headers and back', () => {
  const event = paymentFailed()
  const headers = Object.fromEntries(
    Object.entries(toKafkaHeaders(event)).map(([name, value]) => [name, Buffer.from(value)]),
  )

  assert.deepEqual(fromKafka(headers, Buffer.from(JSON.stringify(event.data))), event)
})

test('Kafka headers have the names of the binding: ce_ before the attributes, content-type as it is', () => {
  assert.deepEqual(Object.keys(toKafkaHeaders(orderCreated())), [
    'content-type',
    'ce_specversion',
    'ce_id',
    'ce_source',
    'ce_type',
    'ce_subject',
    'ce_time',
    'ce_partitionkey',
  ])
})

for (const [what, change] of [
  ['no id', { 'ce-id': undefined }],
  ['an empty type', { 'ce-type': '' }],
  ['a source of 2,000 characters', { 'ce-source': 's'.repeat(2000) }],
  ['another version of CloudEvents', { 'ce-specversion': '0.3' }],
] as const) {
  test(`an event with ${what} is invalid`, () => {
    const headers = { ...toHttpHeaders(orderCreated()), ...change }

    assert.throws(() => fromHttp(headers, orderCreated().data), InvalidEventError)
  })
}

test('a record without a value, or with one that is not JSON, is invalid', () => {
  const headers = toKafkaHeaders(orderCreated())

  assert.throws(() => fromKafka(headers, null), /the record has no value/)
  assert.throws(() => fromKafka(headers, Buffer.from('{"orderId":')), /not JSON/)
})

test('each of the three events fits its Avro schema', () => {
  for (const event of [orderCreated(), paymentCompleted(), paymentFailed()])
    assert.equal(asShopEvent(event), event)
})

test('every fault of the data is named with what was expected, never with its value', () => {
  const event = { ...orderCreated(), data: { ...orderCreated().data, quantity: '2', card: 4242424242424242 } }

  assert.throws(() => asShopEvent(event), {
    name: 'Error',
    message:
      'dev.weft.shop.OrderCreated.v1 created-1: quantity: expected "int", came a string; card: expected "string", came a number',
  })
})

test('data that is no object, or an amount that is not whole, is invalid', () => {
  for (const data of [undefined, null, 'text', [], { ...orderCreated().data, amountCents: 1.5 }])
    assert.throws(() => asShopEvent({ ...orderCreated(), data }), InvalidEventError)
})

test('a field that the schema does not know is let through: the producer may be newer', () => {
  const event = { ...orderCreated(), data: { ...orderCreated().data, giftWrap: true } }

  assert.equal(asShopEvent(event), event)
})

test('a type that is not the shop’s is no shop event', () => {
  assert.equal(asShopEvent({ ...orderCreated(), type: 'com.example.Other' }), undefined)
})
