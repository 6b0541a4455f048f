import assert from 'node:assert/strict'
import { test } from 'node:test'
import { axeViolations, skip, spokenNames, until, useBrowser } from './browser.ts'

const { startMesh, open } = useBrowser()

test('axe finds nothing serious, in light and in dark, in picture and in table', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const traceId = await mesh.sendTrace({ isPaid: false })
  const empty = await startMesh(t, { isEmpty: true })
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const path of ['/', `/?trace=${traceId}`, '/traces', `/traces/${traceId}`]) {
      const { page } = await open(t, mesh, { path, colorScheme })
      await until(page, "!document.body.innerText.includes('Loading')")
      assert.deepEqual(await axeViolations(page), [], `${colorScheme} ${path}`)
      if (path === '/traces') continue
      await page.getByLabel('Table', { exact: true }).check()
      assert.deepEqual(await axeViolations(page), [], `${colorScheme} ${path} table`)
    }
    const { page } = await open(t, empty, { colorScheme })
    assert.deepEqual(await axeViolations(page), [], `${colorScheme} empty`)
  }
})

test('every node, call and knot is reached by the Tab key, with a ring, and Enter follows it', {
  skip,
}, async (t) => {
  const { page } = await open(t, await startMesh(t))
  const all = await spokenNames(page)
  const reached = new Set<string>()
  for (let presses = 0; presses < all.length + 20 && reached.size < all.length; presses++) {
    await page.keyboard.press('Tab')
    const spoken = await page.evaluate<string | null>(
      "document.activeElement.closest('.loom a')?.getAttribute('aria-label') ?? null",
    )
    if (spoken === null) continue
    reached.add(spoken)
    const ring = "getComputedStyle(document.activeElement.querySelector('.focus')).stroke"
    assert.notEqual(await page.evaluate<string>(ring), 'none', spoken)
  }
  assert.equal(reached.size, all.length)

  await page.locator('.knot.refused').focus()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/traces\?service=notification-service&topic=orders$/)
})

test('no text of the pictures is under 12 px', { skip }, async (t) => {
  const mesh = await startMesh(t)
  for (const path of ['/', `/traces/${await mesh.sendTrace()}`]) {
    const { page } = await open(t, mesh, { path })
    await page.locator('svg text').first().waitFor()
    const sizes = await page.evaluate<number[]>(
      "[...document.querySelectorAll('svg text')].map((text) => parseFloat(getComputedStyle(text).fontSize))",
    )
    assert.ok(sizes.length > 5 && Math.min(...sizes) >= 12)
  }
})

test('a phone gets the table, and nothing is wider than 320 px', { skip }, async (t) => {
  const mesh = await startMesh(t)
  const traceId = await mesh.sendTrace()
  for (const path of ['/', '/traces', `/traces/${traceId}`]) {
    const { page } = await open(t, mesh, { path, viewport: { width: 320, height: 640 } })
    await until(page, "!document.body.innerText.includes('Loading')")
    if (path === '/') assert.equal(await page.locator('.tables').count(), 1)
    assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth')) <= 320, path)
  }
})

test('with colours forced by the reader, lines and signs are of the colours that were forced', {
  skip,
}, async (t) => {
  const { page } = await open(t, await startMesh(t), { forcedColors: 'active', colorScheme: 'dark' })
  const colours = await page.evaluate<string[]>(
    "[...document.querySelectorAll('.loom :is(.shape, .weft, .sign)')].map((shape) => getComputedStyle(shape).stroke)",
  )
  const forced = await page.evaluate<string[]>(`
    ['CanvasText', 'Canvas', 'LinkText', 'GrayText'].map((name) => {
      const probe = document.body.appendChild(document.createElement('i'))
      probe.style.color = name
      return getComputedStyle(probe).color
    })`)
  assert.ok(colours.length > 20)
  assert.deepEqual(
    colours.filter((colour) => !forced.includes(colour)),
    [],
  )
})
