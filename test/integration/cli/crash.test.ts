import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProject, isOpen, portsOf } from './weft.test-support.ts'

test('an app that ends by itself stops the mesh: named, with exit code and last words, and nothing is left', async (t) => {
  const project = await createProject(t)
  const { command, mesh } = await project.up()
  const back = mesh.services.find(({ name }) => name === 'back')

  await fetch(`http://127.0.0.1:${back?.ports.app}/crash`).catch(() => {})
  const { code, stderr } = await command.ended

  assert.equal(code, 1)
  assert.match(stderr, /error: back ended by itself: exit code 3\n {2}\| app starts\n {2}\| last words\n/)
  await project.untilNoProcess()
  for (const port of portsOf(mesh)) assert.equal(await isOpen(port), false, `port ${port}`)
})

test('a sidecar that is killed stops the mesh too', async (t) => {
  const project = await createProject(t)
  const { command, mesh } = await project.up()

  process.kill(mesh.services[0]?.sidecarPid ?? 0, 'SIGKILL')
  const { code, stderr } = await command.ended

  assert.equal(code, 1)
  assert.match(stderr, /error: front sidecar ended by itself: killed by SIGKILL/)
  await project.untilNoProcess()
})

test('an app that cannot start ends the start of the mesh, and what had started is stopped again', async (t) => {
  const project = await createProject(t, { back: { command: ['/no/such/program'] } })
  const { code, stderr } = await project.weft('up')
  assert.equal(code, 1)
  assert.match(
    stderr,
    /error: back ended by itself: exit code 127 \(is the command there, and may it be run\?\)/,
  )
  assert.match(stderr, /no\/such\/program: not found/)
  await project.untilNoProcess()
})
