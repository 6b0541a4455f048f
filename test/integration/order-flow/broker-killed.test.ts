import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buy, untilClosed } from '../../../deploy/demo/shop.ts'
import { startShop } from '../../process/shop.ts'

const BEFORE = 20
const WHILE_AWAY = 10
const AFTER = 10

test('a broker that is killed and comes back: every order that the shop took is paid', async (t) => {
  const { mesh } = await startShop(t)
  const place = (count: number) =>
    Promise.all(Array.from({ length: count }, () => buy(mesh, undefined, 'boat-shuttle')))

  // Killed at once: some of these are stored, some published, some heard, some paid.
  const before = await place(BEFORE)
  await mesh.kafka?.kill('SIGKILL')
  const whileAway = await place(WHILE_AWAY)
  await mesh.kafka?.start()
  const after = await place(AFTER)

  const orders = [...before, ...whileAway, ...after]
  const closed = await Promise.all(orders.map(({ orderId }) => untilClosed(mesh, orderId, 120_000)))
  assert.deepEqual([...new Set(closed.map(({ status }) => status))], ['paid'])
  assert.equal(closed.length, BEFORE + WHILE_AWAY + AFTER)
})
