import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'

const MAIN = join(import.meta.dirname, 'main.ts')

const topic = (name: string, spec = '{}'): string =>
  `apiVersion: mesh.weft.dev/v1\nkind: Topic\nmetadata: { name: ${name} }\nspec: ${spec}\n`

interface Line {
  readonly msg: string
  readonly [field: string]: unknown
}

/** Ends of the processes of the test that runs: they come before the removal of their folders. */
const running = new Set<() => Promise<unknown>>()

/** The process, its log as it comes, and its end. */
function launch(environment: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH ?? '', WEFT_GRPC_PORT: '0', WEFT_HTTP_PORT: '0', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stderr }).on('line', (text) => {
    lines.push(text.startsWith('{') ? (JSON.parse(text) as Line) : { msg: text })
    for (const wake of waiting) wake()
  })
  /** The first log line of this message, past or to come; the end of the process ends the wait. */
  const line = async (message: RegExp): Promise<Line> => {
    for (;;) {
      const found = lines.find(({ msg }) => message.test(msg))
      if (found !== undefined) return found
      await Promise.race([
        new Promise<void>((resolve) => waiting.add(resolve)),
        exited.then(() => Promise.reject(new Error(`ended before "${message}": ${JSON.stringify(lines)}`))),
      ])
    }
  }
  running.add(() => {
    child.kill('SIGKILL')
    return exited
  })
  return { child, exited, line }
}

async function place(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'weft-main-'))
  t.after(async () => {
    for (const end of running) await end()
    running.clear()
    await rm(root, { recursive: true, force: true })
  })
  const [stateDir, folder, portsFile] = [
    join(root, 'state'),
    join(root, 'resources'),
    join(root, 'ports.json'),
  ]
  await mkdir(folder)
  const environment = { WEFT_STATE_DIR: stateDir, WEFT_RESOURCES: folder, WEFT_PORTS_FILE: portsFile }
  return { stateDir, folder, portsFile, environment }
}

interface Api {
  put(body: string): Promise<number>
  partitions(name: string): Promise<number | undefined>
}

async function apiOf(stateDir: string, portsFile: string): Promise<Api> {
  const { http, grpc } = JSON.parse(await readFile(portsFile, 'utf8')) as { http: number; grpc: number }
  assert.ok(http > 0 && grpc > 0)
  const url = `http://127.0.0.1:${http}/api/v1`
  const authorization = `Bearer ${(await readFile(join(stateDir, 'admin-token'), 'utf8')).trim()}`
  return {
    put: async (body) => {
      const headers = { authorization, 'content-type': 'application/yaml' }
      return (await fetch(`${url}/resources`, { method: 'PUT', headers, body })).status
    },
    partitions: async (name) => {
      const response = await fetch(`${url}/namespaces/default/topics/${name}`)
      return response.ok
        ? ((await response.json()) as { spec: { partitions: number } }).spec.partitions
        : undefined
    },
  }
}

const kill = async (child: ChildProcess, signal: NodeJS.Signals, exited: Promise<unknown>): Promise<void> => {
  child.kill(signal)
  await exited
}

test('settings that are wrong are told all at once, and the process ends', async () => {
  const { exited, line } = launch({ WEFT_HTTP_PORT: 'x', WEFT_TRUST_DOMAIN: 'X' })
  const { msg } = await line(/the configuration has 3 faults/)
  for (const name of ['WEFT_STATE_DIR', 'WEFT_HTTP_PORT', 'WEFT_TRUST_DOMAIN'])
    assert.match(msg, new RegExp(name))
  assert.deepEqual(await exited, [1, null])
})

test('it starts with a bad file, says so, serves the rest, and stops on a signal', async (t) => {
  const { stateDir, folder, portsFile, environment } = await place(t)
  await writeFile(join(folder, 'bad.yaml'), topic('bad', '{ partitions: 0 }'))
  await writeFile(join(folder, 'good.yaml'), topic('good'))
  const { child, exited, line } = launch(environment)
  const fault = await line(/bad\.yaml:4:21 spec\.partitions: expected a whole number from 1 to 10000, came 0/)
  assert.equal(fault.level, 50)
  const ready = await line(/the control plane is ready/)
  assert.match(String(ready.api), /^http:\/\/127\.0\.0\.1:\d+$/)
  const api = await apiOf(stateDir, portsFile)
  assert.deepEqual([await api.partitions('good'), await api.partitions('bad')], [3, undefined])
  await kill(child, 'SIGTERM', exited)
  assert.deepEqual(await exited, [0, null])
})

test('a second one on the same port ends with the reason', async (t) => {
  const { portsFile, environment } = await place(t)
  const first = launch(environment)
  await first.line(/the control plane is ready/)
  const { http } = JSON.parse(await readFile(portsFile, 'utf8')) as { http: number }
  const other = await place(t)
  const second = launch({ ...other.environment, WEFT_HTTP_PORT: String(http) })
  const { error } = await second.line(/could not start/)
  assert.match(JSON.stringify(error), /EADDRINUSE/)
  assert.deepEqual(await second.exited, [1, null])
})

test('what was answered is there after kill -9, and a watched change arrives by itself', async (t) => {
  const { stateDir, folder, portsFile, environment } = await place(t)
  const first = launch(environment)
  await first.line(/the control plane is ready/)
  const api = await apiOf(stateDir, portsFile)
  for (let partitions = 1; partitions <= 5; partitions++)
    assert.equal(await api.put(topic('a', `{ partitions: ${partitions} }`)), 200)
  await kill(first.child, 'SIGKILL', first.exited)

  await rm(portsFile)
  const second = launch(environment)
  await second.line(/the control plane is ready/)
  const again = await apiOf(stateDir, portsFile)
  assert.equal(await again.partitions('a'), 5)

  const written = performance.now()
  await writeFile(join(folder, 'b.yaml'), topic('b'))
  while ((await again.partitions('b')) === undefined) assert.ok(performance.now() - written < 30_000)
})
