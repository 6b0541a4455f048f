import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ControlPlaneClient } from '../client.ts'
import type { Ground } from './ground.ts'
import { Part } from './part.ts'

const MAIN = join(import.meta.dirname, '../../main.ts')
/** Opening a certificate authority the first time on two busy cores takes about a second. */
const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 10_000
/** Between processes of one machine: what takes longer than this hangs. */
const CALL_TIMEOUT_MS = 10_000

interface ControlPlaneOptions {
  readonly httpPort: number
  readonly grpcPort: number
  readonly resources: readonly string[]
  /** Overrides what a Mesh resource says of Kafka: the broker of this run. */
  readonly kafka?: { readonly bootstrapServers: readonly string[]; readonly security: string }
}

/** The control plane of a mesh; may be stopped and started again, and comes back on the same ports. */
export class ControlPlane {
  readonly url: string
  readonly grpcAddress: string
  readonly adminTokenFile: string
  readonly client: ControlPlaneClient
  readonly #ground: Ground
  readonly #options: ControlPlaneOptions
  readonly #part: Part

  constructor(ground: Ground, options: ControlPlaneOptions) {
    this.#ground = ground
    this.#options = options
    this.#part = new Part(ground, 'control plane')
    this.url = `http://127.0.0.1:${options.httpPort}`
    this.grpcAddress = `127.0.0.1:${options.grpcPort}`
    this.adminTokenFile = join(ground.state.controlPlane, 'admin-token')
    this.client = new ControlPlaneClient({
      url: this.url,
      timeoutMs: CALL_TIMEOUT_MS,
      readToken: () => this.adminToken(),
    })
  }

  get pid(): number | undefined {
    return this.#part.pid
  }

  async adminToken(): Promise<string> {
    return (await readFile(this.adminTokenFile, 'utf8')).trim()
  }

  /** Resolves when it serves. */
  async start(): Promise<void> {
    const started = Date.now()
    const { report } = this.#ground
    report({ part: this.#part.name, state: 'starting' })
    const portsFile = join(this.#ground.state.hand, 'control-plane.ports.json')
    await rm(portsFile, { force: true })
    this.#part.start({
      command: process.execPath,
      args: [...NODE_FLAGS, MAIN],
      env: { ...this.#environment(), WEFT_PORTS_FILE: portsFile },
    })
    // Its own word that it listens: an answer on the port could be that of somebody else.
    await this.#part.until(
      'it does not listen',
      START_DEADLINE_MS,
      async () => existsSync(portsFile) || undefined,
    )
    await this.#part.until('it is not ready', START_DEADLINE_MS, async () => {
      const status = await this.client.status('/ready').catch(() => 0)
      return status === 200 ? true : undefined
    })
    this.#part.markReady()
    report({ part: this.#part.name, state: 'ready', ms: Date.now() - started })
  }

  async stop(): Promise<void> {
    if (!this.#part.isRunning) return
    this.#ground.report({ part: this.#part.name, state: 'stopping' })
    await this.#part.stop(STOP_DEADLINE_MS)
    this.#ground.report({ part: this.#part.name, state: 'stopped' })
  }

  /** A signal from outside; nobody counts the end as a crash. */
  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#part.kill(signal)
  }

  /** For the end of the mesh: the log file is whole. */
  closeLogs(): Promise<void> {
    return this.#part.log.close()
  }

  #environment(): NodeJS.ProcessEnv {
    const { httpPort, grpcPort, resources, kafka } = this.#options
    return {
      ...this.#ground.env,
      WEFT_STATE_DIR: this.#ground.state.controlPlane,
      WEFT_RESOURCES: [...resources, this.#ground.state.run].join(':'),
      WEFT_HTTP_PORT: String(httpPort),
      WEFT_GRPC_PORT: String(grpcPort),
      ...(kafka !== undefined && {
        WEFT_KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers.join(','),
        WEFT_KAFKA_SECURITY: kafka.security,
      }),
    }
  }
}

/** node:sqlite and type stripping say that they are new; nobody needs to read that in every log. */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'] as const
