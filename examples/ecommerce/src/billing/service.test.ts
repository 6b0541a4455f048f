import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { IHeaders } from 'kafkajs'
import { Outbox } from '../chassis/outbox.ts'
import { orderCreated, silentLog, TRACEPARENT, tempDatabase } from '../chassis/service.test-support.ts'
import { createWebApp } from '../chassis/web-app.ts'
import { toKafkaHeaders } from '../events/cloud-event.ts'
import { BILLING_MIGRATIONS, Payments } from './payments.ts'
import { Rejected } from './rejected.ts'
import { registerBillingRoutes } from './routes.ts'
import { takePayment } from './service.ts'

function given(context: TestContext) {
  const database = tempDatabase(context, BILLING_MIGRATIONS)
  const outbox = new Outbox(database)
  const parts = { outbox, payments: new Payments(database, outbox), rejected: new Rejected(database) }
  const app = createWebApp({ name: 'billing-service', logLevel: 'silent', isReady: () => false })
  registerBillingRoutes(app, parts)
  context.after(() => app.close())
  const consume = (change: { readonly headers?: IHeaders; readonly value?: Buffer | null }) =>
    takePayment(
      { topic: 'orders', partition: 1, message: { ...message(), ...change } },
      { ...parts, log: silentLog },
    )
  return { ...parts, database, app, consume }
}

function message() {
  const event = orderCreated()
  const headers = { ...toKafkaHeaders(event), traceparent: TRACEPARENT }
  return {
    key: Buffer.from('order-1'),
    value: Buffer.from(JSON.stringify(event.data)),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)])),
    timestamp: '0',
    attributes: 0,
    offset: '7',
  }
}

test('a record of an order takes the payment, under the trace in its headers', (context) => {
  const { consume, payments, outbox } = given(context)

  consume({})

  assert.equal(payments.byOrder('order-1').length, 1)
  assert.deepEqual(outbox.due(Date.now(), 1)[0]?.trace, { traceparent: TRACEPARENT })
})

for (const [what, change, reason] of [
  ['no headers', { headers: {} }, /specversion/],
  ['no value', { value: null }, /no value/],
  ['a value that is not JSON', { value: Buffer.from('\u0000') }, /not JSON/],
  [
    'data that does not fit the schema',
    { value: Buffer.from('{"orderId":7}') },
    /orderId: expected "string"/,
  ],
] as const) {
  test(`a record with ${what} is put aside with its reason, and the consumer goes on`, async (context) => {
    const { consume, app, payments } = given(context)

    consume(change)
    consume(change)

    const { records } = (await app.inject('/rejected')).json<{
      records: { offset: string; reason: string }[]
    }>()
    assert.equal(records.length, 1)
    assert.equal(records[0]?.offset, '7')
    assert.match(records[0]?.reason ?? '', reason)
    assert.deepEqual(payments.latest(10), [])
  })
}

test('a record of another type is passed over', async (context) => {
  const { consume, app } = given(context)

  consume({ headers: { ...message().headers, ce_type: Buffer.from('com.example.Other') } })

  assert.deepEqual((await app.inject('/rejected')).json(), { records: [] })
})

test('a database that fails makes the consumer fail, so that the record comes again', (context) => {
  const { consume, database } = given(context)
  database.exec(
    "CREATE TRIGGER full BEFORE INSERT ON payments BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
  )

  assert.throws(() => consume({}), /the disk is full/)
})

test('payments can be asked for by order, and by nothing else', async (context) => {
  const { app, consume } = given(context)
  consume({})

  const found = await app.inject('/payments?orderId=order-1')
  const none = await app.inject('/payments?orderId=order-2')
  const wrong = await app.inject('/payments?card=4242424242424242')

  assert.equal(found.json<{ payments: unknown[] }>().payments.length, 1)
  assert.deepEqual(none.json(), { payments: [] })
  assert.equal(wrong.statusCode, 400)
})

test('a service that has not joined its group is alive and not ready', async (context) => {
  const { app } = given(context)

  assert.equal((await app.inject('/healthz')).statusCode, 200)
  assert.equal((await app.inject('/ready')).statusCode, 503)
})
