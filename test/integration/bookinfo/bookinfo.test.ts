/** `weft up` of examples/bookinfo, and each of its routes, applied as a person applies it and looked at through the page. */
import assert from 'node:assert/strict'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createProject, type MeshView, type Project } from '../cli/weft.test-support.ts'

const EXAMPLE = join(import.meta.dirname, '../../../examples/bookinfo')

interface Page {
  readonly details: { readonly status: number }
  readonly reviews: {
    readonly status: number
    readonly json: { readonly version: string; readonly stars?: { readonly status: number } } | null
  }
}

function browser(mesh: MeshView) {
  const url = mesh.services.find(({ name }) => name === 'productpage')?.ingressUrl
  return async (headers: Record<string, string> = {}): Promise<Page> =>
    (await (await fetch(`${url}/api`, { headers })).json()) as Page
}

const versionOf = ({ reviews }: Page): string => reviews.json?.version ?? String(reviews.status)

/** A change reaches a sidecar in milliseconds; how many depends on the machine. */
async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; !(await holds()); await delay(50))
    assert.ok(Date.now() < end, `expected ${what}`)
}

async function apply(project: Project, route: string): Promise<void> {
  const { code, stderr } = await project.weft('apply', '-f', `bookinfo/routes/${route}.yaml`)
  assert.equal(code, 0, stderr)
}

test('the routes of bookinfo do what they say', async (t) => {
  const project = await createProject(t)
  await cp(EXAMPLE, join(project.folder, 'bookinfo'), { recursive: true })
  const { mesh } = await project.up('bookinfo')
  const look = browser(mesh)

  await t.test('every version answers a third of the readers until a route is applied', async () => {
    const seen = new Set<string>()
    await until('all three versions', async () => seen.add(versionOf(await look())).size === 3)
    assert.deepEqual([...seen].toSorted(), ['v1', 'v2', 'v3'])
    assert.equal((await look()).details.status, 200)
  })

  await t.test('80/10/10: most readers see v1', async () => {
    await apply(project, '80-10-10')
    await until('80 of 100 or nearly so', async () => {
      const versions = await Promise.all(Array.from({ length: 100 }, async () => versionOf(await look())))
      // A third of a hundred would be 33; five standard deviations around 80 are 20.
      return versions.filter((version) => version === 'v1').length > 60 && new Set(versions).size > 1
    })
  })

  await t.test('by header: jason sees v2, others v1', async () => {
    await apply(project, 'by-header')
    await until('v2 for jason', async () => versionOf(await look({ 'end-user': 'jason' })) === 'v2')
    for (let n = 0; n < 10; n++) {
      assert.equal(versionOf(await look({ 'end-user': 'jason' })), 'v2')
      assert.equal(versionOf(await look({ 'end-user': 'mary' })), 'v1')
    }
  })

  await t.test('by cookie: whoever has it sees v3', async () => {
    await apply(project, 'by-cookie')
    await until(
      'v3 for the cookie',
      async () => versionOf(await look({ cookie: 'a=b; preview=on' })) === 'v3',
    )
    for (let n = 0; n < 10; n++) {
      assert.equal(versionOf(await look({ cookie: 'preview=on' })), 'v3')
      assert.equal(versionOf(await look({ cookie: 'preview=off' })), 'v1')
    }
  })

  await t.test('mirrored: v1 answers, v3 gets a copy', async () => {
    await apply(project, 'mirror')
    const log = join(project.folder, 'bookinfo/.weft/bookinfo/logs/reviews-v3.log')
    const answers = async (): Promise<number> =>
      (await readFile(log, 'utf8')).split('reviews v3 answers').length
    const before = await answers()
    await until('a copy at v3', async () => {
      await look({ cookie: 'preview=off' })
      return (await answers()) > before
    })
    for (let n = 0; n < 10; n++) assert.equal(versionOf(await look({ cookie: 'preview=on' })), 'v1')
  })

  await t.test('a delay of two seconds: for jason, and for nobody else', async () => {
    await apply(project, 'by-header')
    await apply(project, 'delay')
    const timeOf = async (user: string): Promise<number> => {
      const started = performance.now()
      assert.equal((await look({ 'end-user': user })).reviews.status, 200)
      return performance.now() - started
    }
    await until('two seconds', async () => (await timeOf('jason')) >= 2_000)
    assert.equal(versionOf(await look({ 'end-user': 'mary' })), 'v1')
  })

  await t.test('an abort: the reviews of jason come without stars', async () => {
    await apply(project, 'abort')
    const starsOf = async (user: string) => (await look({ 'end-user': user })).reviews.json?.stars?.status
    await until('a failure of ratings', async () => (await starsOf('jason')) === 500)
  })

  await t.test('only productpage may call reviews, whatever a route says', async () => {
    for (const version of ['reviews-v1', 'reviews-v2', 'reviews-v3']) {
      assert.equal((await project.weft('can', 'productpage', 'GET', version, '/reviews/0')).code, 0)
      assert.equal((await project.weft('can', 'ratings', 'GET', version, '/reviews/0')).code, 1)
    }
    const { stdout } = await project.weft('get', 'httproutes')
    assert.match(stdout, /^reviews +service\/reviews/m)
  })
})
