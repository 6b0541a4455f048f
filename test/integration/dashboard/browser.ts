/** A Chromium with the dashboard of the example mesh in front of it. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext } from 'node:test'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { buildDashboard } from '../../../control-plane/src/dashboard/build.test-support.ts'
import {
  type ExampleMesh,
  startExampleMesh,
} from '../../../control-plane/src/dashboard/example-mesh.test-support.ts'

const CHROMIUM = [
  process.env.WEFT_CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path))

/** The `skip` of each browser test: false where there is a Chromium. */
export const skip: string | false =
  CHROMIUM === undefined
    ? 'no Chromium on this machine: install it (apt-get install chromium), or name one in WEFT_CHROMIUM'
    : false

export interface Opened {
  readonly page: Page
  readonly mesh: ExampleMesh
  /** What the browser complained about: errors of scripts, the console, the content security policy; foreign hosts. */
  readonly complaints: readonly string[]
}

export interface OpenOptions extends BrowserContextOptions {
  readonly path?: string
  readonly isEmpty?: boolean
}

/** Builds the page and starts the browser once for the file that calls it. */
export function useBrowser() {
  let browser: Browser
  let dist = ''

  before(async () => {
    if (skip !== false) return
    dist = await mkdtemp(join(tmpdir(), 'weft-dashboard-'))
    const started = chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] })
    await buildDashboard(dist)
    browser = await started
  })
  after(async () => {
    if (skip !== false) return
    await browser.close()
    await rm(dist, { recursive: true })
  })

  return {
    /** A mesh of its own for each test. */
    startMesh: async (
      t: TestContext,
      options: { isEmpty?: boolean; port?: number } = {},
    ): Promise<ExampleMesh> => {
      const mesh = await startExampleMesh({ dist, ...options })
      t.after(() => mesh.close())
      if (options.isEmpty !== true) {
        mesh.reportTraffic(0)
        mesh.reportTraffic(10)
      }
      return mesh
    },
    open: async (t: TestContext, mesh: ExampleMesh, options: OpenOptions = {}): Promise<Opened> => {
      const { path = '/', ...contextOptions } = options
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...contextOptions })
      t.after(() => context.close())
      const page = await context.newPage()
      const complaints = listen(page, mesh.url)
      await page.goto(mesh.url + path)
      await page.locator('.dot.open').waitFor()
      return { page, mesh, complaints }
    },
  }
}

function listen(page: Page, origin: string): readonly string[] {
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) complaints.push(`request to ${request.url()}`)
  })
  return complaints
}

/** Serious and critical violations that axe finds, as `rule: element`. */
export async function axeViolations(page: Page): Promise<readonly string[]> {
  const { default: axe } = await import('axe-core')
  await page.evaluate(axe.source)
  return await page.evaluate<string[]>(`
    axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
      violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`)
}

/** What a screen reader says of each link of the loom. */
export const spokenNames = (page: Page): Promise<readonly string[]> =>
  page.evaluate<string[]>(
    "[...document.querySelectorAll('.loom a')].map((link) => link.getAttribute('aria-label'))",
  )

/** Waits until the condition, an expression in the page, holds. Evaluated whole: the page's policy forbids `eval`. */
export async function until(page: Page, expression: string): Promise<void> {
  const holds = await page.evaluate<boolean>(`
    new Promise((resolve) => {
      const end = Date.now() + 5000
      const look = () => {
        if (${expression}) resolve(true)
        else if (Date.now() > end) resolve(false)
        else requestAnimationFrame(look)
      }
      look()
    })`)
  assert.ok(holds, `did not become true: ${expression}\n${await page.locator('main').innerText()}`)
}
