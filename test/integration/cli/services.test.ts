import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createProject } from './weft.test-support.ts'

test('weft stop and start take one service out of the mesh and back', async (t) => {
  const project = await createProject(t)
  const { command, mesh } = await project.up()
  const ingress = mesh.services.find(({ name }) => name === 'front')?.ingressUrl
  const call = async () => (await fetch(`${ingress}/call`)).status
  assert.equal(await call(), 200)

  const stopped = await project.weft('stop', 'back')
  assert.equal(stopped.code, 0, stopped.stderr)
  assert.equal(await call(), 503)
  const status = await project.weft('status')
  assert.equal(status.code, 1)
  assert.match(status.stdout, /✕ service back is stopped/)

  assert.equal((await project.weft('start', 'back')).code, 0)
  assert.equal(await call(), 200)
  const wrong = await project.weft('stop', 'bakc')
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /tiny has no service bakc: it has front, back/)
  command.signal('SIGINT')
  assert.equal((await command.ended).code, 0)
})

test('with restart: always an app that is killed comes back on its port, and the mesh stays', async (t) => {
  const project = await createProject(t, { back: { restart: 'always' } })
  const { command, mesh } = await project.up()
  const back = mesh.services.find(({ name }) => name === 'back')

  process.kill(back?.pid ?? 0, 'SIGKILL')
  await command.untilSaid('killed by SIGKILL; starts again')
  const again = await project.weft('restart', 'front')

  assert.equal(again.code, 0, again.stderr)
  const response = await fetch(`http://127.0.0.1:${back?.ports.app}/`)
  assert.equal(response.status, 200)
})

test('a change of a watched file restarts the app; one that does not start is told of and waits for the next change', async (t) => {
  const project = await createProject(t, { back: { watch: ['app.mjs'], env: { GREETING: 'first' } } })
  const { command, mesh } = await project.up()
  const back = mesh.services.find(({ name }) => name === 'back')
  const greeting = async () => await (await fetch(`http://127.0.0.1:${back?.ports.app}/`)).text()
  assert.equal(await greeting(), 'first')

  await project.write('app.mjs', 'syntax error')
  await command.untilSaid('waits for a change')
  await project.write(
    'app.mjs',
    "import { createServer } from 'node:http'\ncreateServer((_, response) => response.end('second')).listen(Number(process.env.PORT), '127.0.0.1')\n",
  )
  await command.untilSaid('back                         ready')
  for (let said = ''; said !== 'second'; said = await greeting().catch(() => '')) assert.ok(command.pid)
})
