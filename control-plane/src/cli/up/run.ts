import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlPlaneClient } from '../client.ts'
import { CliError, messageOf } from '../errors.ts'
import { type ResourceList, resourcePath } from '../resource-views.ts'
import { choosePort, isAlive } from './free-port.ts'
import { childEnvironment, type Ground } from './ground.ts'
import { serviceResource, workloadResource } from './resources.ts'
import { appEnvironment, Sidecar, type SidecarPorts } from './sidecar.ts'
import { exitCodeOf, onInterrupt } from './signals.ts'
import { prepareState } from './state.ts'
import { createTether } from './tether.ts'

interface RunInMeshOptions {
  readonly command: readonly [string, ...string[]]
  readonly name: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly port: number | undefined
  readonly ingress: boolean
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Is Ctrl-C sent to the command by the terminal itself? */
  readonly isTty: boolean
  readonly client: ControlPlaneClient
  readonly grpcAddress: string
  readonly say: (line: string) => void
}

/** After the first signal the command has this long to end by itself. */
const COMMAND_STOP_DEADLINE_MS = 10_000

/** Joins a running mesh for as long as the command runs; what it added to the mesh is gone when it returns the exit code. */
export async function runInMesh(options: RunInMeshOptions): Promise<number> {
  await removeFoldersOfTheKilled()
  const folder = await mkdtemp(join(tmpdir(), `weft-run-${process.pid}-`))
  const tether = createTether()
  const failed = new AbortController()
  try {
    const ground: Ground = {
      tether,
      state: await prepareState(folder),
      env: childEnvironment(options.env),
      signal: failed.signal,
      report: () => {},
      onLog: () => {},
      crash: (error) => failed.abort(error),
    }
    return await joinAndRun(options, ground, failed)
  } finally {
    tether.killAll()
    await tether.release()
    await rm(folder, { recursive: true, force: true })
  }
}

async function joinAndRun(
  options: RunInMeshOptions,
  ground: Ground,
  failed: AbortController,
): Promise<number> {
  const { name, client } = options
  const appPort = options.port ?? (await choosePort())
  // A name of its own for each run: several instances of one service may run side by side.
  const workload = `${name}-${randomBytes(3).toString('hex')}`
  const sidecar = new Sidecar(ground, {
    ...options,
    workload,
    service: name,
    appPort,
    ingressPort: options.ingress ? 0 : undefined,
    controlPlaneUrl: client.url,
  })
  const stopListening = onInterrupt(
    () => failed.abort(new CliError('interrupted before the command was started')),
    () => ground.tether.killAll(),
  )
  const undo: (() => Promise<unknown>)[] = [() => sidecar.stop()]
  try {
    await sidecar.start()
    undo.push(...(await addToMesh(options, { workload, appPort, ports: sidecar.ports })))
    await sidecar.untilInForce()
    sayWhere(options, sidecar.ports)
    stopListening()
    return await runCommand(options, ground, {
      env: appEnvironment(sidecar.ports, { appPort, controlPlaneUrl: client.url }),
      failed: failed.signal,
    })
  } finally {
    stopListening()
    for (const step of undo.reverse())
      await step().catch((error: unknown) => options.say(`clean-up: ${messageOf(error)}`))
    await sidecar.part.log.close()
  }
}

interface Joined {
  readonly workload: string
  readonly appPort: number
  readonly ports: SidecarPorts
}

/** Makes the Workload, and the Service if there is none yet; returns what takes them away again. */
async function addToMesh(
  { client, name, namespace, serviceAccount }: RunInMeshOptions,
  { workload, appPort, ports }: Joined,
): Promise<(() => Promise<unknown>)[]> {
  const servicePath = resourcePath('Service', namespace, name)
  const workloadPath = resourcePath('Workload', namespace, workload)
  const isNewService = (await client.find(servicePath)) === undefined
  const resources: unknown[] = isNewService ? [serviceResource(name, namespace)] : []
  resources.push(
    workloadResource({ name: workload, namespace, service: name, serviceAccount, appPort, ports }),
  )
  await client.send('PUT', '/api/v1/resources', resources)
  const removeService = async () => {
    const { items } = await client.get<ResourceList>('/api/v1/resources', { kind: 'Workload', namespace })
    // Another run of the same service may have come since.
    if (!items.some(({ metadata }) => metadata.labels.app === name)) await client.delete(servicePath)
  }
  return [...(isNewService ? [removeService] : []), () => client.delete(workloadPath)]
}

function sayWhere({ say, name, namespace }: RunInMeshOptions, ports: SidecarPorts): void {
  say(`${namespace}/${name} has joined the mesh`)
  if (ports.ingress !== undefined) say(`ingress  http://127.0.0.1:${ports.ingress}`)
}

interface CommandGround {
  readonly env: Readonly<Record<string, string>>
  readonly failed: AbortSignal
}

/** The command on this terminal. A signal that the terminal does not send to it by itself is passed on. */
async function runCommand(
  options: RunInMeshOptions,
  ground: Ground,
  { env, failed }: CommandGround,
): Promise<number> {
  failed.throwIfAborted()
  const [program, ...args] = options.command
  const app = ground.tether.spawn(program, args, {
    cwd: options.cwd,
    env: { ...ground.env, ...env },
    foreground: true,
  })
  let timer: NodeJS.Timeout | undefined
  const end = (signal: NodeJS.Signals): void => {
    if (signal !== 'SIGINT' || !options.isTty) app.kill(signal)
    timer = setTimeout(() => app.kill('SIGKILL'), COMMAND_STOP_DEADLINE_MS)
  }
  const stopListening = onInterrupt(end, () => app.kill('SIGKILL'))
  failed.addEventListener('abort', () => end('SIGTERM'), { once: true })
  const exit = await app.gone
  clearTimeout(timer)
  stopListening()
  // The sidecar has crashed: that is why the command ended.
  failed.throwIfAborted()
  return exitCodeOf(exit)
}

/** A run that was killed could not remove its folder, which holds the logs and the join token of its sidecar. */
async function removeFoldersOfTheKilled(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(/^weft-run-(\d+)-/.exec(name)?.[1])
    // What belongs to another user stays; it is that user's next run that removes it.
    if (pid > 0 && !isAlive(pid))
      await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {})
  }
}
