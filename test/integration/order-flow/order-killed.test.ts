import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buy, type Order, shopUrl, until, untilClosed } from '../../../deploy/demo/shop.ts'
import { startShop } from '../../process/shop.ts'

test('order-service killed between storing an order and publishing it: the order is published after the restart, and paid', async (t) => {
  const shop = await startShop(t, { restart: 'always', env: { 'order-service': { CRASH_AFTER_STORE: '1' } } })

  // The answer may be lost with the process; what counts is that the order was stored.
  const first = await buy(shop.mesh).catch(() => undefined)
  const stored = await until('order-service is back with the order', 30_000, async () => {
    const response = await fetch(`${shopUrl(shop.mesh)}/api/orders`)
    if (!response.ok) return undefined
    const { orders } = (await response.json()) as { orders: Order[] }
    return orders[0]
  })

  if (first !== undefined) assert.equal(first.orderId, stored.orderId)
  assert.equal((await untilClosed(shop.mesh, stored.orderId)).status, 'paid')
})
