import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startBroker } from '@weft/control-plane/cli/broker'
import { createProject, isOpen } from './weft.test-support.ts'

test('with KAFKA_BROKERS the mesh works with that broker, whatever its files say, and leaves it alone', async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-broker-'))
  const broker = await startBroker({ dataDir })
  t.after(async () => {
    await broker.stop()
    await rm(dataDir, { recursive: true, force: true })
  })
  const project = await createProject(t, { kafka: {}, env: { KAFKA_BROKERS: `127.0.0.1:${broker.port}` } })
  const kind = (name: string, spec: string) =>
    `apiVersion: mesh.weft.dev/v1\nkind: ${name}\nmetadata: { name: ${name.toLowerCase()} }\nspec: ${spec}\n`
  const mesh = '{ kafka: { bootstrapServers: ["nowhere.invalid:9092"] } }'
  await project.write('mesh/more.yaml', `${kind('Topic', '{ partitions: 1 }')}---\n${kind('Mesh', mesh)}`)

  const { command } = await project.up()
  const status = await project.weft('status', '-o', 'json')
  command.signal('SIGINT')
  const { code, stderr } = await command.ended

  assert.equal(code, 0, stderr)
  assert.deepEqual((JSON.parse(status.stdout) as { topics: unknown }).topics, [
    { name: 'topic', state: 'ready' },
  ])
  assert.doesNotMatch(stderr, /^kafka +starting/m)
  assert.equal(await isOpen(broker.port), true)
})
