import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { buy, untilClosed } from '../../../deploy/demo/shop.ts'
import { startShop } from '../../process/shop.ts'

const ORDERS = 200
const KILL_AFTER = 60
const CONCURRENT = 8

test('billing killed while 200 orders are placed, then started again: every order is paid exactly once', async (t) => {
  const shop = await startShop(t)
  const billing = shop.mesh.services.get('billing-service')
  assert.ok(billing)

  const placed: string[] = []
  let killed: Promise<void> | undefined
  const customer = async (): Promise<void> => {
    while (placed.length < ORDERS) {
      placed.push('')
      const at = placed.length - 1
      placed[at] = (await buy(shop.mesh, undefined, 'boat-shuttle')).orderId
      if (at === KILL_AFTER) killed = billing.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, customer))
  await killed
  assert.equal(new Set(placed).size, ORDERS)

  await billing.start()
  const closed = await Promise.all(placed.map((orderId) => untilClosed(shop.mesh, orderId, 90_000)))
  assert.deepEqual([...new Set(closed.map(({ status }) => status))], ['paid'])

  await shop.mesh.stop()
  const database = new DatabaseSync(join(shop.dataOf('billing-service'), 'billing-service.sqlite'), {
    readOnly: true,
  })
  const payments = database
    .prepare('SELECT order_id, count(*) AS times FROM payments GROUP BY order_id')
    .all()
  database.close()
  assert.equal(payments.length, ORDERS)
  assert.ok(payments.every(({ times }) => times === 1))
})
