import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buy, until, untilClosed } from '../../../deploy/demo/shop.ts'
import { startShop } from '../../process/shop.ts'

const DENY = `
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: closed }
spec: { target: { service: order-service }, action: deny, rules: [{}] }
`

test('without its control plane the mesh serves on, and catches up when it is back', async (t) => {
  const { mesh } = await startShop(t)
  await mesh.controlPlane.kill('SIGKILL')

  const order = await buy(mesh)
  assert.equal((await untilClosed(mesh, order.orderId)).status, 'paid')

  await mesh.controlPlane.start()
  const response = await fetch(`${mesh.controlPlaneUrl}/api/v1/resources`, {
    method: 'PUT',
    headers: { 'content-type': 'application/yaml', authorization: `Bearer ${mesh.adminToken}` },
    body: DENY,
  })
  assert.equal(response.status, 200, await response.text())
  await until('the new policy is in force', 30_000, async () =>
    buy(mesh).then(
      () => undefined,
      (error: Error) => (error.message.includes('403') ? true : undefined),
    ),
  )
})
