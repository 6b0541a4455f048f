import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import kafkajs, { Kafka, logLevel } from 'kafkajs'
import { buy, until } from '../../../deploy/demo/shop.ts'
import { type Shop, startShop } from '../../process/shop.ts'

const { KafkaJSProtocolError } = kafkajs

/** The bound is one second; a machine that runs other tests beside this one gets more, and the measured time is printed. */
const DEADLINE_MS = 10_000

const DENY = `
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: closed-orders }
spec: { target: { service: order-service }, action: deny, rules: [{ from: [{ serviceAccount: product-service }] }] }
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: closed-payments }
spec: { target: { topic: payments }, action: deny, rules: [{ from: [{ serviceAccount: billing-service }] }] }
`

test('a policy that is changed in its file is in force at once on open connections of both planes, and so is its end', async (t) => {
  const shop = await startShop(t)
  const file = join(shop.resources, 'policies.yaml')
  const before = await readFile(file, 'utf8')
  const billing = shop.mesh.services.get('billing-service')
  const kafka = new Kafka({
    brokers: [`127.0.0.1:${billing?.ports.kafka}`],
    logLevel: logLevel.NOTHING,
    retry: { retries: 0 },
  })
  const producer = kafka.producer()
  await producer.connect()
  t.after(() => producer.disconnect())
  const produce = async (): Promise<string> => {
    try {
      await producer.send({
        topic: 'payments',
        messages: [{ key: 'x', value: '{}', headers: { ce_type: 'test' } }],
      })
      return 'ok'
    } catch (error) {
      if (error instanceof KafkaJSProtocolError) return error.type
      const cause = error instanceof Error ? error.cause : undefined
      return cause instanceof KafkaJSProtocolError ? cause.type : String(error)
    }
  }
  const call = async (): Promise<string> =>
    buy(shop.mesh).then(
      () => 'ok',
      (error: Error) => error.message,
    )
  assert.deepEqual([await call(), await produce()], ['ok', 'ok'])

  const closedAt = performance.now()
  await writeFile(file, before + DENY)
  await until('order-service refuses product-service', DEADLINE_MS, async () =>
    (await call()).includes('403') ? true : undefined,
  )
  await until('billing-service may not produce', DEADLINE_MS, async () =>
    (await produce()) === 'TOPIC_AUTHORIZATION_FAILED' ? true : undefined,
  )
  t.diagnostic(`closed on both planes after ${(performance.now() - closedAt).toFixed(0)} ms`)
  assert.deepEqual(await refusals(shop, 'order-service', 'default/closed-orders'), [
    'spiffe://weft.local/ns/default/sa/product-service',
  ])
  assert.deepEqual(await refusals(shop, 'billing-service', 'default/closed-payments'), [
    'spiffe://weft.local/ns/default/sa/billing-service',
  ])

  const openedAt = performance.now()
  await writeFile(file, before)
  await until('order-service serves product-service', DEADLINE_MS, async () =>
    (await call()) === 'ok' ? true : undefined,
  )
  await until('billing-service may produce', DEADLINE_MS, async () =>
    (await produce()) === 'ok' ? true : undefined,
  )
  t.diagnostic(`open on both planes after ${(performance.now() - openedAt).toFixed(0)} ms`)
})

/** Who was refused by that policy, according to the log of the service's sidecar. */
async function refusals(shop: Shop, service: string, policy: string): Promise<unknown[]> {
  const lines = await shop.sidecarLog(service)
  return [
    ...new Set(
      lines
        .filter((line) => line.msg === 'refused by policy' && line.policy === policy)
        .map((line) => line.identity),
    ),
  ]
}
