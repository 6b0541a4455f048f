import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skip, until, useBrowser } from './browser.ts'

const { startMesh, open } = useBrowser()

test('a trace is a waterfall in which the waiting time in a topic has a row of its own', {
  skip,
}, async (t) => {
  const mesh = await startMesh(t)
  const { page } = await open(t, mesh, { path: `/traces/${await mesh.sendTrace()}` })
  await page.locator('.rows').waitFor()
  const rows = await page.locator('.rows .what').allTextContents()
  assert.deepEqual(rows, [
    'product-service',
    'POST order-service',
    'order-service',
    'send orders',
    'waited 5 ms in orders',
    'process orders',
    'waited 57 ms in orders',
    'process orders',
    'POST payment-provider',
    'send payments',
    'waited 12 ms in payments',
    'process payments',
    'waited 18 ms in payments',
    'process payments',
    'send shipments',
  ])
  assert.equal(await page.locator('.rows .bar.waiting').count(), 4)

  await page.getByLabel('Table', { exact: true }).check()
  assert.deepEqual(await page.locator('.spans tbody th').allTextContents(), rows)
})

test('a span opens by keyboard and shows its attributes; one in error is crossed', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const { page } = await open(t, mesh, { path: `/traces/${await mesh.sendTrace({ isPaid: false })}` })
  const failed = page.locator('details', { has: page.locator('.cross') })
  await failed.locator('summary').focus()
  await page.keyboard.press('Enter')
  assert.match(
    await failed.locator('.attributes').innerText(),
    /the card was declined[\s\S]*url\.path\s+\/charge/,
  )
})

test('a trace that is looked at grows as its spans arrive', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const traceId = await mesh.sendTrace()
  const { page } = await open(t, mesh, { path: `/traces/${traceId}` })
  await until(page, "document.querySelectorAll('.rows details').length === 11")
  await mesh.sendSpan(traceId, 'the order is closed')
  await until(page, "document.querySelectorAll('.rows details').length === 12")
  assert.match(await page.locator('.summary').innerText(), /still arriving/)
})

test('a name that is markup is text', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const traceId = await mesh.sendTrace()
  await mesh.sendSpan(traceId, '<img src=x onerror=alert(1)>')
  const { page, complaints } = await open(t, mesh, { path: `/traces/${traceId}` })
  await page.getByText('<img src=x').waitFor()
  assert.equal(await page.locator('img').count(), 0)
  assert.deepEqual(complaints, [])
})

test('the list is narrowed by service and topic, and a trace leads to its waterfall', { skip }, async (t) => {
  const mesh = await startMesh(t)
  await mesh.sendTrace()
  await mesh.sendTrace({ isPaid: false })
  const { page } = await open(t, mesh, { path: '/traces' })
  const rows = page.locator('.traces tbody tr')
  await until(page, "document.querySelectorAll('.traces tbody tr').length === 2")
  await page.getByLabel('Topic').selectOption('shipments')
  await until(page, "document.querySelectorAll('.traces tbody tr').length === 1")
  assert.match(page.url(), /\/traces\?topic=shipments$/)
  await rows.first().getByRole('link', { name: 'POST /buy', exact: true }).click()
  await page.locator('.waterfall').waitFor()
})
