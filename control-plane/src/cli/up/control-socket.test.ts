import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../cli.test-support.ts'
import { CliError } from '../errors.ts'
import { callMesh, openControlSocket } from './control-socket.ts'
import { socketPathOf } from './state.ts'

const VIEW = { name: 'shop', pid: 1, services: [] }

test('a call acts on the service and comes back when that is done; the socket is for its owner only', async (t) => {
  const path = join(await temporaryFolder(t), 'up.sock')
  const acts: string[] = []
  const socket = await openControlSocket(path, {
    view: () => VIEW,
    act: async (verb, name) => void acts.push(`${verb} ${name}`),
  })
  t.after(() => socket.close())
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await callMesh(path, 'POST', '/services/billing-service/stop'), VIEW)
  assert.deepEqual(acts, ['stop billing-service'])
})

test('what goes wrong comes back in words', async (t) => {
  const path = join(await temporaryFolder(t), 'up.sock')
  const act = () =>
    Promise.reject(new CliError('billing did not start', { hint: 'Its log: x', quote: ['last words'] }))
  const socket = await openControlSocket(path, { view: () => VIEW, act })
  t.after(() => socket.close())
  await assert.rejects(callMesh(path, 'POST', '/services/billing/start'), {
    message: 'billing did not start',
    hint: 'Its log: x',
    quote: ['last words'],
  })
  await assert.rejects(callMesh(path, 'POST', '/services/billing/explode'), /not found/)
  await assert.rejects(callMesh(path, 'GET', '/services/billing/stop'), /not found/)
})

test('a socket is a lock: a second mesh is refused while the first runs, and takes what a killed one left', async (t) => {
  const path = join(await temporaryFolder(t), 'up.sock')
  const controlled = { view: () => VIEW, act: async () => {} }
  const first = await openControlSocket(path, controlled)
  await assert.rejects(openControlSocket(path, controlled), /the mesh shop is running already \(process 1\)/)
  await first.close()
  await writeFile(path, '')
  const second = await openControlSocket(path, controlled)
  await second.close()
  await assert.rejects(callMesh(path, 'GET', '/'), /`weft up` does not answer/)
})

test('a folder too deep for a socket has its socket elsewhere, always the same', () => {
  const deep = `/${'d'.repeat(120)}`
  assert.equal(socketPathOf('/short'), '/short/up.sock')
  assert.ok(socketPathOf(deep).length < 104)
  assert.equal(socketPathOf(deep), socketPathOf(deep))
  assert.notEqual(socketPathOf(deep), socketPathOf(`${deep}e`))
})
