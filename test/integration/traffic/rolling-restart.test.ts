import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startMesh } from '@weft/control-plane/cli/mesh'
import { call } from '../../../sidecar/src/outbound/calling.test-support.ts'
import { ending } from '../../process/ending.ts'
import { Replica, until } from './replica.ts'

/** Takes its time, so that there is always something in flight; ends what it has begun when it is told to stop. */
const APP = `import { createServer } from 'node:http'
const server = createServer((request, response) => {
  request.resume()
  setTimeout(() => response.end(process.env.NAME), request.url === '/' ? 0 : 10 + Math.random() * 40)
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`

const RESOURCES = `apiVersion: mesh.weft.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { defaultAction: allow }
---
apiVersion: mesh.weft.dev/v1
kind: Service
metadata: { name: back }
spec: { selector: { app: back } }
---
apiVersion: mesh.weft.dev/v1
kind: Service
metadata: { name: caller }
spec: { selector: { app: caller } }
`

const WORKERS = 4

interface World {
  readonly callers: readonly Replica[]
  readonly backs: readonly Replica[]
}

/** Two callers and two of the service that they call, as processes of their own. */
async function startWorld(t: TestContext): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-rolling-'))
  const end = ending(t)
  end.defer(() => rm(folder, { recursive: true, force: true }))
  const [resources, app] = [join(folder, 'mesh'), join(folder, 'app.mjs')]
  await mkdir(resources)
  await writeFile(app, APP)
  await writeFile(join(resources, 'services.yaml'), RESOURCES)
  // A mesh file has at least one service; this one only listens.
  const services = { idle: { command: ['node', app] } }
  const file = join(folder, 'weft.yaml')
  await writeFile(file, JSON.stringify({ name: 'rolling', resources: './mesh', kafka: 'none', services }))
  const mesh = await startMesh({ file, stateDir: join(folder, 'state') })
  end.defer(() => mesh.stop())

  const replicaOf = (service: string, name: string): Replica => {
    const replica = new Replica({ mesh, resources, service, name, app })
    end.defer(() => replica.stop())
    return replica
  }
  const callers = ['caller-1', 'caller-2'].map((name) => replicaOf('caller', name))
  const backs = ['back-1', 'back-2'].map((name) => replicaOf('back', name))
  await Promise.all([...callers, ...backs].map((replica) => replica.start()))
  await untilKnown(callers, backs.length)
  return { callers, backs }
}

async function untilKnown(callers: readonly Replica[], count: number): Promise<void> {
  for (const caller of callers)
    await until(`a caller knows ${count} endpoints`, async () => (await caller.endpointsOf('back')) === count)
}

/** Calls without a pause through whichever of the callers is in use, until `stop`, which returns what went wrong. */
function load(callers: Set<Replica>) {
  const failures: string[] = []
  const answers = new Map<string, number>()
  let isOver = false
  const work = async (worker: number): Promise<void> => {
    for (let n = worker; !isOver; n++) {
      const caller = [...callers][n % callers.size]
      const method = n % 2 === 0 ? 'GET' : 'POST'
      try {
        const { status, body } = await call(caller?.ports.outbound ?? 0, {
          host: 'back',
          path: '/work',
          method,
        })
        if (status !== 200) failures.push(`${method} ${status} ${body}`)
        else answers.set(body, (answers.get(body) ?? 0) + 1)
      } catch (error) {
        failures.push(`${method} ${String(error)}`)
      }
    }
  }
  const workers = Array.from({ length: WORKERS }, (_, worker) => work(worker))
  return {
    answers,
    failures,
    async stop() {
      isOver = true
      await Promise.all(workers)
    },
  }
}

test('a rolling restart of every sidecar and app loses no request', async (t) => {
  const { callers, backs } = await startWorld(t)
  const inUse = new Set(callers)
  const { answers, failures, stop } = load(inUse)
  const total = () => [...answers.values()].reduce((sum, count) => sum + count, 0)
  await until('both are called', async () => answers.size === 2)

  for (const back of backs) {
    await back.leave()
    await untilKnown(callers, 1)
    await back.stop()
    await back.start()
    await untilKnown(callers, 2)
  }
  for (const caller of callers) {
    inUse.delete(caller)
    await caller.stop()
    await caller.start()
    await untilKnown([caller], 2)
    inUse.add(caller)
  }
  const before = new Map(answers)
  await until('all are called again', async () =>
    ['back-1', 'back-2'].every((name) => (answers.get(name) ?? 0) > (before.get(name) ?? 0)),
  )

  await stop()
  assert.deepEqual(failures, [])
  t.diagnostic(`${total()} requests, none failed`)
  assert.ok(total() > 100, `${total()} requests`)
})
