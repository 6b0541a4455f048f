import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createProject, isOpen, portsOf } from './weft.test-support.ts'

const TOPIC = `apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: extra, labels: { by: cli } }
spec: { partitions: 2 }
`

test('weft up starts a mesh with a real broker, the other commands work with it, and Ctrl-C leaves nothing', async (t) => {
  const project = await createProject(t, { kafka: {} })
  await project.write('mesh/topic.yaml', TOPIC.replace('extra', 'orders'))
  const { command, mesh } = await project.up()
  const ports = portsOf(mesh)

  await t.test('every part has a line that turns from starting to ready', () => {
    const said = command.stderr()
    for (const part of ['control plane', 'kafka', 'front sidecar', 'back sidecar', 'front', 'back']) {
      assert.match(said, new RegExp(`^${part} +starting$`, 'm'))
      assert.match(said, new RegExp(`^${part} +ready \\d+\\.\\ds$`, 'm'))
    }
    assert.match(said, /tiny is ready after \d+\.\d s/)
    assert.equal(mesh.services.length, 2)
  })

  await t.test('a request goes from ingress through both sidecars', async () => {
    const ingress = mesh.services.find(({ name }) => name === 'front')?.ingressUrl
    const response = await fetch(`${ingress}/call`)
    assert.equal(await response.text(), 'hello')
  })

  await t.test('status says that all is well, topics in the broker included', async () => {
    const { code, stdout } = await project.weft('status', '-o', 'json')
    const status = JSON.parse(stdout) as {
      healthy: boolean
      topics: unknown
      sidecars: { state: string }[]
      problems: string[]
    }
    assert.deepEqual(status.problems, [])
    assert.equal(code, 0)
    assert.deepEqual(status.topics, [{ name: 'orders', state: 'ready' }])
    assert.deepEqual(
      status.sidecars.map(({ state }) => state),
      ['ready', 'ready'],
    )
  })

  await t.test('apply, get and delete make a round trip', async () => {
    await project.write('extra.yaml', TOPIC)
    assert.match(
      (await project.weft('apply', '-f', 'extra.yaml', '--dry-run')).stdout,
      /^topic\/extra created \(dry run\)$/m,
    )
    assert.equal((await project.weft('get', 'topic', 'extra')).code, 1)
    assert.match((await project.weft('apply', '-f', 'extra.yaml')).stdout, /^topic\/extra created$/m)
    assert.match((await project.weft('apply', '-f', 'extra.yaml')).stdout, /^topic\/extra unchanged$/m)
    assert.equal(
      (await project.weft('get', 'topics', '-l', 'by=cli', '-o', 'name')).stdout,
      'topic/orders\ntopic/extra\n',
    )
    const one = await project.weft('get', 'topic', 'extra', '-o', 'json')
    assert.equal((JSON.parse(one.stdout) as { spec: { partitions: number } }).spec.partitions, 2)
    assert.equal((await project.weft('delete', 'topic', 'extra')).code, 2)
    assert.deepEqual(await project.weft('delete', 'topic', 'extra', '--yes', '-q'), {
      code: 0,
      stdout: 'topic/extra deleted\n',
      stderr: '',
    })
    assert.equal((await project.weft('delete', 'topic', 'extra', '--yes')).code, 1)
  })

  await t.test('what the control plane refuses comes back with file and line', async () => {
    await project.write(
      'lost.yaml',
      'apiVersion: mesh.weft.dev/v1\nkind: Subscription\nmetadata: { name: s }\nspec: { topic: nowhere, service: back, path: /in }\n',
    )
    const { code, stderr } = await project.weft('apply', '-f', 'lost.yaml')
    assert.equal(code, 1)
    assert.match(
      stderr,
      /lost\.yaml:4:\d+ spec\.topic: expected the name of a Topic that is defined, came "nowhere"/,
    )
  })

  await t.test('can asks the control plane: 0 is yes, 1 is no', async () => {
    const yes = await project.weft('can', 'front', 'GET', 'back', '/hello')
    assert.match(yes.stdout, /^yes .*policy default\/back allows it\npolicy {2}default\/back\n$/)
    assert.equal(yes.code, 0)
    const no = await project.weft('can', 'back', 'produce', 'orders', '-o', 'json')
    assert.equal(no.code, 1)
    assert.equal((JSON.parse(no.stdout) as { reason: string }).reason, 'no-policy-allows')
    assert.equal(
      (await project.weft('can', 'spiffe://elsewhere/ns/default/sa/front', 'GET', 'back', '/hello')).code,
      1,
    )
  })

  await t.test('a second weft up of the same mesh says that it runs', async () => {
    const { code, stderr } = await project.weft('up')
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`the mesh tiny is running already \\(process ${command.pid}\\)`))
  })

  await t.test(
    'Ctrl-C stops apps, sidecars, broker and control plane in order, and leaves no process, port or context',
    async () => {
      command.signal('SIGINT')
      const { code, stderr } = await command.ended
      assert.equal(code, 0)
      const order = ['front', 'front sidecar', 'kafka', 'control plane'].map((part) =>
        stderr.search(new RegExp(`^${part} +stopped`, 'm')),
      )
      assert.deepEqual(
        order,
        order.toSorted((a, b) => a - b),
      )
      assert.ok((order[0] ?? -1) > 0)
      await project.untilNoProcess()
      for (const port of ports) assert.equal(await isOpen(port), false, `port ${port}`)
      assert.equal(existsSync(join(project.folder, '.weft/context.json')), false)
      assert.match((await project.weft('status')).stderr, /no mesh|no control plane at/)
    },
  )
})
