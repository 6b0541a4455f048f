/** One instance of a service in a mesh of real processes: an app and its sidecar, which a test starts and stops in any order. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { choosePort } from '@weft/control-plane/cli/free-port'
import type { Mesh } from '@weft/control-plane/cli/mesh'

const SIDECAR = join(import.meta.dirname, '../../../sidecar/src/main.ts')
const DRAIN_MS = 5_000
const DEADLINE_MS = 60_000
const POLL_MS = 20

export interface ReplicaOptions {
  readonly mesh: Mesh
  /** The folder of resource files that the control plane watches. */
  readonly resources: string
  /** Name of the Service, and service account. */
  readonly service: string
  readonly name: string
  /** An ES module that listens on PORT. */
  readonly app: string
}

interface SidecarPorts {
  readonly outbound: number
  readonly inbound: number
  readonly admin: number
}

export class Replica {
  readonly #options: ReplicaOptions
  #app: ChildProcess | undefined
  #sidecar: ChildProcess | undefined
  #ports: SidecarPorts | undefined

  constructor(options: ReplicaOptions) {
    this.#options = options
  }

  get ports(): SidecarPorts {
    if (this.#ports === undefined) throw new Error(`${this.#options.name} has not started`)
    return this.#ports
  }

  /** App, then sidecar; then the mesh is told. */
  async start(): Promise<void> {
    const { mesh, name, service, app } = this.#options
    const appPort = await choosePort(undefined)
    this.#app = spawn(process.execPath, [app], { env: { ...process.env, PORT: String(appPort), NAME: name } })
    await until(`${name} listens`, () => answers(`http://127.0.0.1:${appPort}/`))

    const [tokenFile, portsFile] = [this.#file('token'), this.#file('ports.json')]
    const { token } = await mesh.controlPlane.client.send<{ token: string }>('POST', '/api/v1/join-tokens', {
      namespace: 'default',
      serviceAccount: service,
    })
    await writeFile(tokenFile, token)
    await rm(portsFile, { force: true })
    this.#sidecar = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', SIDECAR], {
      env: { ...process.env, ...this.#environment({ tokenFile, portsFile, appPort }) },
    })
    this.#ports = await until(`the sidecar of ${name} listens`, () => readPorts(portsFile))
    await writeFile(this.#workloadFile(), this.#workload())
  }

  /** Nobody is sent here any more, as soon as every sidecar knows. */
  async leave(): Promise<void> {
    await rm(this.#workloadFile(), { force: true })
  }

  /** Sidecar, which lets what is in flight end, then app. */
  async stop(): Promise<void> {
    await ended(this.#sidecar)
    await ended(this.#app)
  }

  /** How many endpoints of a service its sidecar knows of. */
  async endpointsOf(service: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.ports.admin}/endpoints`)
    const { services } = (await response.json()) as {
      services: readonly { readonly service: string; readonly endpoints: readonly unknown[] }[]
    }
    return services.find((entry) => entry.service === service)?.endpoints.length ?? 0
  }

  #file(ending: string): string {
    return join(this.#options.mesh.stateDir, `${this.#options.name}.${ending}`)
  }

  #workloadFile(): string {
    return join(this.#options.resources, `${this.#options.name}.yaml`)
  }

  #workload(): string {
    const { name, service } = this.#options
    return `apiVersion: mesh.weft.dev/v1
kind: Workload
metadata: { name: ${name}, labels: { app: ${service} } }
spec: { serviceAccount: ${service}, inboundPort: ${this.ports.inbound} }
`
  }

  #environment(parts: {
    readonly tokenFile: string
    readonly portsFile: string
    readonly appPort: number
  }): NodeJS.ProcessEnv {
    const listeners = ['OUTBOUND', 'INBOUND', 'EVENTS', 'EVENTS_GRPC', 'KAFKA', 'ADMIN'].map(
      (name) => `WEFT_${name}_PORT`,
    )
    return {
      ...Object.fromEntries(listeners.map((name) => [name, '0'])),
      WEFT_CONTROL_PLANE: this.#options.mesh.controlPlane.grpcAddress,
      WEFT_JOIN_TOKEN_FILE: parts.tokenFile,
      WEFT_PORTS_FILE: parts.portsFile,
      WEFT_WORKLOAD: this.#options.name,
      WEFT_APP_PORT: String(parts.appPort),
      WEFT_DRAIN_MS: String(DRAIN_MS),
    }
  }
}

/** The value that `ask` gives at last; fails when it takes too long. */
export async function until<T>(what: string, ask: () => Promise<T | false | undefined>): Promise<T> {
  const end = Date.now() + DEADLINE_MS
  for (;;) {
    const value = await ask()
    if (value !== undefined && value !== false) return value
    if (Date.now() > end) throw new Error(`expected that ${what} within ${DEADLINE_MS} ms`)
    await delay(POLL_MS)
  }
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  )

const readPorts = (file: string): Promise<SidecarPorts | undefined> =>
  readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as SidecarPorts,
    () => undefined,
  )

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}
