import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RECEIVER, received } from './receiver.ts'
import { createProject, type Project } from './weft.test-support.ts'

const RESOURCES = `apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: orders }
spec: { partitions: 1 }
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: orders }
spec:
  target: { topic: orders }
  rules:
    - from: [{ serviceAccount: front }]
      to: [{ kafka: { operations: [produce, consume], groups: [front] } }]
    - from: [{ serviceAccount: back }]
      to: [{ kafka: { operations: [consume], groups: [back] } }]
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: orders }
spec: { topic: orders, service: back, path: /orders }
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: watching }
spec: { topic: orders, service: front, path: /orders }
`

interface Letters {
  readonly open: number
  readonly letters: readonly { readonly id: string; readonly key: string; readonly error: string }[]
}

async function lettersOf(project: Project, open: number): Promise<Letters> {
  for (let tries = 0; tries < 100; tries++) {
    const { stdout, stderr, code } = await project.weft('dlq', 'list', 'orders', '-o', 'json')
    assert.equal(code, 0, stderr)
    const found = JSON.parse(stdout) as Letters
    if (found.open === open) return found
    await delay(200)
  }
  throw new Error(`never ${open} open letters`)
}

async function meshWithLetters(t: TestContext): Promise<Project> {
  const service = (name: string, env: object = {}) => ({
    command: ['node', 'orders.mjs'],
    env: { NAME: name, ...env },
  })
  const project = await createProject(t, {
    kafka: {},
    back: service('back', { REFUSES: 'bad' }),
    front: service('front'),
  })
  await project.write('orders.mjs', RECEIVER)
  await project.write('mesh/orders.yaml', RESOURCES)
  const { mesh } = await project.up()
  const events = mesh.services.find(({ name }) => name === 'front')?.ports.events
  for (const body of ['good', 'bad one', 'bad two', 'bad three']) {
    const answer = await fetch(`http://127.0.0.1:${events}/v1/topics/orders/events`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'weft-key': body, 'weft-header-tenant': 'blue' },
      body,
    })
    assert.equal(answer.status, 200, await answer.text())
  }
  return project
}

test('weft dlq lists, shows, sends back to the one group that failed, and drops', async (t) => {
  const project = await meshWithLetters(t)
  const { letters } = await lettersOf(project, 3)
  assert.deepEqual(
    letters.map(({ id, key, error }) => [id, key, error]),
    ['bad one', 'bad two', 'bad three'].map((key, at) => [`0/${at}`, key, 'the app answered 422']),
  )
  const table = await project.weft('dlq', 'list', 'orders', '--limit', '1')
  assert.match(
    table.stdout,
    /^LETTER +AGE +KEY +ATTEMPTS +FROM +ERROR\n0\/0 +\d+s +bad one +1 +orders 0\/1 +the app answered 422\n$/,
  )
  assert.match(table.stderr, /1 of 3; more with --limit/)
  const shown = await project.weft('dlq', 'show', 'orders', '0/1')
  assert.match(shown.stdout, /header tenant +blue\n[\s\S]*\nbad two\n$/)

  const nobody = await project.weft('dlq', 'redrive', 'orders', '--all')
  assert.equal(nobody.code, 2, 'nobody is there to ask')
  const none = await project.weft('dlq', 'drop', 'orders', '0/99')
  assert.deepEqual([none.code, /not open: 0\/99/.test(none.stderr)], [1, true])
  assert.match((await project.weft('dlq', 'show', 'orders', 'all')).stderr, /expected a letter as 0\/12/)
  assert.match(
    (await project.weft('dlq', 'list', 'nothing')).stderr,
    /there is no Subscription default\/nothing/,
  )

  const dropped = await project.weft('dlq', 'drop', 'orders', '0/2')
  assert.equal(dropped.stdout, '1 dropped\n', dropped.stderr)
  // Still refused: it fails once more, and becomes a letter of its own.
  const early = await project.weft('dlq', 'redrive', 'orders', '0/0')
  assert.equal(early.stdout, '1 sent back\n', early.stderr)
  await lettersOf(project, 2)
  await project.write('fixed', '')
  const all = await project.weft('dlq', 'redrive', 'orders', '--all', '--yes', '-o', 'json')
  assert.deepEqual(JSON.parse(all.stdout), { decided: ['0/1', '0/3'], absent: [], left: 0 })
  await lettersOf(project, 0)

  const got = async (name: string) =>
    (await received(project.folder, name)).map(({ headers, body, status }) =>
      ['topic', 'offset', 'key', 'header-tenant']
        .map((field) => headers[`weft-${field}`])
        .concat([String(body), String(status)])
        .join(' '),
    )
  for (let tries = 0; tries < 100 && (await got('back')).length < 7; tries++) await delay(100)
  const line = (offset: number, body: string, status: number) =>
    `orders ${offset} ${encodeURIComponent(body)} blue ${body} ${status}`
  assert.deepEqual((await got('back')).toSorted(), [
    line(0, 'good', 204),
    line(1, 'bad one', 204),
    line(1, 'bad one', 422),
    line(1, 'bad one', 422),
    line(2, 'bad two', 204),
    line(2, 'bad two', 422),
    line(3, 'bad three', 422),
  ])
  assert.equal((await got('front')).length, 4, 'the other group got each record once')
})
