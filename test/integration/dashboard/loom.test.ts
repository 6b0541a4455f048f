import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skip, spokenNames, until, useBrowser } from './browser.ts'

const { startMesh, open } = useBrowser()

test('every page loads without an error, within its content security policy, from nowhere else', {
  skip,
}, async (t) => {
  const mesh = await startMesh(t)
  const traceId = await mesh.sendTrace()
  for (const path of [
    '/',
    `/?trace=${traceId}`,
    '/traces',
    '/traces?topic=orders',
    `/traces/${traceId}`,
    '/traces/x',
  ]) {
    const { page, complaints } = await open(t, mesh, { path })
    await until(page, "!document.body.innerText.includes('Loading')")
    const expected = path.endsWith('/x') ? complaints.filter((text) => !text.includes('404')) : complaints
    assert.deepEqual(expected, [], path)
  }
})

test('the table says what the picture shows', { skip }, async (t) => {
  const { page } = await open(t, await startMesh(t))
  // The numbers of a live mesh move: both are read from one state.
  await page.getByRole('button', { name: 'Pause' }).click()
  const texts = (selector: string) => page.locator(selector).allTextContents()
  const sign = /^[◆▲] /
  const labels = await texts('.mark .label')
  const names = await texts('.node .name')
  const details = (await texts('.node .detail')).map((text) => text.replace(sign, ''))

  await page.getByLabel('Table', { exact: true }).check()

  assert.ok(labels.length === 16 && names.length === 12)
  assert.deepEqual(await texts('.tables .shown'), labels)
  const named = await texts('.tables table:not(:first-child) tbody th')
  assert.deepEqual(
    named.map((name) => (name.endsWith('.dlt') ? name.replace('orders.', '…') : name)),
    names,
  )
  assert.deepEqual(await texts('.tables table:not(:first-child) tbody td:nth-child(2)'), details)
})

test('the picture draws what the reference picture draws', { skip }, async (t) => {
  const { page } = await open(t, await startMesh(t))
  const spoken = await spokenNames(page)
  for (const expected of [
    /^ingress calls product-service, 4\d rps · 9 ms, ok$/,
    /^billing-service calls payment-provider, failed 22 %, failing$/,
    /^topic orders, produced by order-service, 12\/s, ok$/,
    /^topic orders, consumed by billing-service, lag 1.204, degraded$/,
    /^topic orders, notification-service is refused 3\/min, by policy$/,
    /^topic returns, consumed by billing-service, no traffic, no traffic yet$/,
    /^topic orders, its dead letters …billing-service.dlt, 4 dead letters$/,
    /^service payment-provider, 0\/1 · mTLS, failing$/,
  ]) {
    assert.ok(
      spoken.some((text) => expected.test(text)),
      `${expected} in\n${spoken.join('\n')}`,
    )
  }
})

test('a policy that changes turns the cross into a triangle, on the open page', { skip }, async (t) => {
  const { page, mesh } = await open(t, await startMesh(t))
  await page.locator('.knot.refused').waitFor()
  mesh.permitNotification()
  await until(page, "document.querySelector('.knot.refused') === null")
  assert.equal(await page.locator('[aria-live]').textContent(), 'notification-service, orders: ok')
})

test('a paused page stands still, and catches up when it goes on', { skip }, async (t) => {
  const { page, mesh } = await open(t, await startMesh(t))
  await page.getByRole('button', { name: 'Pause' }).click()
  const before = await page.locator('.loom').innerHTML()
  const moved = page.waitForEvent('console')
  await page.evaluate(
    "new EventSource('/api/v1/stream').addEventListener('trace', () => console.log('came'))",
  )
  mesh.permitNotification()
  await until(page, 'true')
  await mesh.sendTrace()
  await moved
  assert.equal(await page.locator('.loom').innerHTML(), before)
  assert.equal(await page.locator('.traces tbody tr').count(), 0)

  await page.getByRole('button', { name: 'Resume' }).click()
  await until(page, "document.querySelector('.knot.refused') === null")
  await until(page, "document.querySelectorAll('.traces tbody tr').length === 1")
})

test('a lost connection is said, and a control plane that comes back is found', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const { page } = await open(t, mesh)
  await mesh.close()
  await page.locator('.banner').waitFor()
  await startMesh(t, { port: Number(new URL(mesh.url).port) })
  await page.locator('.dot.open').waitFor()
  assert.equal(await page.locator('.banner').count(), 0)
})

test('an empty mesh says what to do next', { skip }, async (t) => {
  const { page } = await open(t, await startMesh(t, { isEmpty: true }))
  const text = await page.locator('main').innerText()
  assert.match(text, /No services yet[\s\S]*weft run --name hello[\s\S]*No traces yet/)
})

test('a trace lights up as one thread', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const traceId = await mesh.sendTrace()
  const { page } = await open(t, mesh, { path: `/?trace=${traceId}` })
  await page.locator('.thread').waitFor()
  assert.equal(await page.locator('.knot.lit').count(), 7)
  assert.equal(await page.locator('.call.lit').count(), 2)
  assert.equal(await page.locator('tr.lit').count(), 1)
})
