import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProject, isOpen, portsOf } from './weft.test-support.ts'

test('kill -9 of weft up takes everything with it, and the next start works on what is left in the folder', async (t) => {
  const project = await createProject(t)
  const first = await project.up()
  assert.ok((await project.processes()).length >= 6)

  first.command.signal('SIGKILL')
  await first.command.ended
  await project.untilNoProcess()
  for (const port of portsOf(first.mesh)) assert.equal(await isOpen(port), false, `port ${port}`)

  const second = await project.up()
  second.command.signal('SIGTERM')
  assert.equal((await second.command.ended).code, 0)
  await project.untilNoProcess()
})

test('Ctrl-C while the mesh starts leaves nothing', async (t) => {
  const project = await createProject(t, { kafka: {} })
  const command = project.start('up')
  await command.untilSaid('front sidecar')
  command.signal('SIGINT')
  const { code, stderr } = await command.ended
  assert.equal(code, 1)
  assert.match(stderr, /error: stopped before the mesh was ready/)
  await project.untilNoProcess()
})

test('a second Ctrl-C does not wait for an app that will not stop', async (t) => {
  const project = await createProject(t)
  await project.write(
    'app.mjs',
    "import { createServer } from 'node:http'\nprocess.on('SIGTERM', () => {})\ncreateServer((_, response) => response.end()).listen(Number(process.env.PORT), '127.0.0.1')\n",
  )
  const { command } = await project.up()
  command.signal('SIGINT')
  await command.untilSaid('Stopping')
  const asked = Date.now()
  command.signal('SIGINT')
  await command.ended
  assert.ok(Date.now() - asked < 5000)
  await project.untilNoProcess()
})
