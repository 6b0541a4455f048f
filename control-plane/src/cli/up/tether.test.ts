import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { createTether, formatExit, type Tether } from './tether.ts'

function tether(t: TestContext): Tether {
  const made = createTether()
  t.after(async () => {
    made.killAll()
    await made.release()
  })
  return made
}

const env = process.env

/** One that has ended and only waits to be reaped by its new parent is dead. */
function isAlive(pid: number): boolean {
  const { status, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return status === 0 && !stdout.startsWith('Z')
}

test('a command runs with its arguments as they are, and its exit code comes back', async (t) => {
  const { child, gone } = tether(t).spawn(
    '/bin/sh',
    ['-c', 'printf "%s|" "$@"; exit 7', 'sh', 'a b', '$HOME', "'"],
    { env },
  )
  let output = ''
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString()
  })
  assert.deepEqual(await gone, { code: 7, signal: null })
  assert.equal(output, "a b|$HOME|'|")
})

test('a command that is not there ends with 127, as in a shell', async (t) => {
  assert.equal(formatExit(await tether(t).spawn('/no/such/program', [], { env }).gone), 'exit code 127')
})

test('stop ends the whole group: a shell that started an app does not leave it behind', async (t) => {
  const { child, gone, stop } = tether(t).spawn('/bin/sh', ['-c', 'sleep 1000 & echo $!; wait'], { env })
  const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer]
  const inner = Number(line.toString())
  assert.equal((await stop(5000)).signal, 'SIGTERM')
  await gone
  assert.equal(isAlive(inner), false)
})

test('what ignores SIGTERM is killed after the deadline', async (t) => {
  const { child, stop } = tether(t).spawn(
    '/bin/sh',
    ['-c', "trap '' TERM; echo on; while :; do sleep 0.05; done"],
    { env },
  )
  await once(child.stdout ?? process.stdin, 'data')
  assert.equal((await stop(50)).signal, 'SIGKILL')
})

test('what a command leaves behind when it ends by itself goes too', async (t) => {
  const { child, gone } = tether(t).spawn('/bin/sh', ['-c', 'sleep 1000 >/dev/null 2>&1 & echo $!'], { env })
  const [line] = (await once(child.stdout ?? process.stdin, 'data')) as [Buffer]
  assert.equal((await gone).code, 0)
  assert.equal(isAlive(Number(line.toString())), false)
})

test('killAll ends everything now', async (t) => {
  const held = tether(t)
  const commands = [held.spawn('sleep', ['1000'], { env }), held.spawn('sleep', ['1000'], { env })]
  held.killAll()
  for (const { gone } of commands) assert.equal((await gone).signal, 'SIGKILL')
})
