/**
 * Weft itself: a mesh of two services as `weft up` runs it, control plane, certificates and config stream included. The
 * feature set is the default one: mTLS, route lookup, policy, retries and timeout armed, metrics, 1 % of the traces recorded.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mesh, startMesh } from '@weft/control-plane/cli/mesh'
import { stringify } from 'yaml'
import type { Contestant, Door, Running } from '../contestant.ts'
import { APP_CORE, moveToCore, SIDECAR_CORE } from '../cores.ts'
import { TOPIC } from '../suites/backend.ts'
import { type AppProtocol, callResources, topicResources } from './weft-mesh.ts'

const IDLE_APP = join(import.meta.dirname, '../programs/http-app.ts')

/** A pair: `program` is the app, which listens on PORT and speaks `protocol`. */
export const weft = (program: string, protocol: AppProtocol) => async (): Promise<Contestant> => ({
  name: 'weft',
  about: 'two sidecars with their defaults, run from TypeScript',
  start: () =>
    start({
      services: { caller: program, app: program },
      resources: callResources(protocol),
      doorOf: (ports) => ({ port: ports.outbound, host: 'app' }),
    }),
})

/** One sidecar beside a program with events for a broker; `doorOf` says by which of its ports. */
const gateway = (plan: GatewayPlan) => async (): Promise<Contestant> => ({
  name: plan.name ?? 'weft',
  about:
    plan.about ??
    'one sidecar with its defaults, run from TypeScript; policy asked for each record or batch, plain text to the broker',
  start: ({ port }) =>
    start({
      services: { caller: IDLE_APP },
      resources: topicResources(TOPIC, plan.topic),
      kafkaBrokers: `127.0.0.1:${port}`,
      doorOf: plan.doorOf,
    }),
})
export const weftEvents = gateway({ doorOf: ({ events }) => ({ port: events }) })
export const weftWireProxy = gateway({ doorOf: ({ kafka }) => ({ port: kafka }) })
export const weftUntraced = gateway({
  doorOf: ({ kafka }) => ({ port: kafka }),
  name: 'weft-untraced',
  about: 'the same without trace contexts in records (trace: never)',
  topic: { trace: 'never' },
})

type SidecarPorts = NonNullable<ReturnType<Mesh['services']['get']>>['ports']

interface GatewayPlan extends Pick<MeshPlan, 'doorOf'> {
  readonly name?: string
  readonly about?: string
  /** Of its spec. */
  readonly topic?: object
}

interface MeshPlan {
  /** Programs by name of their service; the door is a port of the sidecar of `caller`. */
  readonly services: { readonly caller: string; readonly app?: string }
  /** YAML */
  readonly resources: string
  readonly kafkaBrokers?: string
  readonly doorOf: (ports: SidecarPorts) => Door
}

async function start({ services, resources, kafkaBrokers, doorOf }: MeshPlan): Promise<Running> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-bench-mesh-'))
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(folder, { recursive: true, force: true }))
  await mkdir(join(folder, 'mesh'))
  await writeFile(join(folder, 'mesh', 'mesh.yaml'), resources)
  const commands = Object.entries(services).map(([name, program]) => [
    name,
    { command: [process.execPath, '--disable-warning=ExperimentalWarning', program] },
  ])
  const file = join(folder, 'weft.yaml')
  const description = {
    name: 'bench',
    resources: './mesh',
    ...(kafkaBrokers === undefined && { kafka: 'none' }),
    services: Object.fromEntries(commands) as object,
  }
  await writeFile(file, stringify(description))
  const mesh = await startMesh({
    file,
    stateDir: join(folder, 'state'),
    env: { ...process.env, KAFKA_BROKERS: kafkaBrokers, KAFKA_SECURITY: 'plaintext' },
  })
  stack.defer(() => mesh.stop())
  const pids = await placeOnCores(mesh)
  const caller = mesh.services.get('caller')
  if (caller === undefined) throw new Error('expected the service caller in the mesh')
  const running = stack.move()
  return { door: doorOf(caller.ports), pids, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

/** Returns the processes that are measured. */
async function placeOnCores({ services, controlPlane }: Mesh): Promise<number[]> {
  const all = [...services.values()]
  const apps = [controlPlane.pid, ...all.map(({ pid }) => pid)].filter((pid) => pid !== undefined)
  const sidecars = all.map(({ sidecarPid }) => sidecarPid).filter((pid) => pid !== undefined)
  await Promise.all(apps.map((pid) => moveToCore(APP_CORE, pid)))
  await Promise.all(sidecars.map((pid) => moveToCore(SIDECAR_CORE, pid)))
  return sidecars
}
