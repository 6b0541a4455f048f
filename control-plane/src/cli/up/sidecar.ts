import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Snapshot } from '@weft/schemas/snapshot'
import type { ControlPlaneClient } from '../client.ts'
import { messageOf } from '../errors.ts'
import { NODE_FLAGS } from './control-plane.ts'
import type { Ground } from './ground.ts'
import { getJson } from './health.ts'
import { Part } from './part.ts'
import { writeWhole } from './state.ts'

const MAIN = join(import.meta.dirname, '../../../../sidecar/src/main.ts')
/**
 * A young generation of 4 MiB in place of 16: V8 grows it while modules load and keeps it, three times over. What a request
 * leaves behind is dead before either is full. Buffers of bodies lie outside of the heap: the sidecar itself asks when to collect them
 * (transport/read-memory.ts). The image starts it with the same.
 */
const MEMORY_FLAGS = ['--max-semi-space-size=4', '--expose-gc'] as const
const START_DEADLINE_MS = 60_000
/** What is in flight gets this long when the sidecar stops: nobody waits ten seconds for a laptop's mesh. */
const DRAIN_MS = 3_000
/** Both planes drain one after the other; then the process has to end by itself. */
const STOP_DEADLINE_MS = 2 * DRAIN_MS + 6_000
const SNAPSHOT_DEADLINE_MS = 30_000

/** Where a sidecar listens, as it has written it itself. */
export interface SidecarPorts {
  readonly outbound: number
  readonly inbound: number
  readonly ingress?: number
  readonly events: number
  readonly eventsGrpc: number
  readonly kafka: number
  readonly admin: number
}

interface SidecarOptions {
  /** Name of its Workload. */
  readonly workload: string
  /** Name of the Service that selects the Workload. */
  readonly service: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly appPort: number
  readonly ingressPort: number | undefined
  readonly grpcAddress: string
  readonly controlPlaneUrl: string
  readonly client: ControlPlaneClient
}

/** The sidecar of one service. It takes other free ports each time it starts. */
export class Sidecar {
  readonly part: Part
  readonly #ground: Ground
  readonly #options: SidecarOptions
  #ports: SidecarPorts | undefined

  constructor(ground: Ground, options: SidecarOptions) {
    this.#ground = ground
    this.#options = options
    this.part = new Part(ground, `${options.service} sidecar`)
  }

  get hasPorts(): boolean {
    return this.#ports !== undefined
  }

  /** Where it listens, or listened last. Throws before it has started once. */
  get ports(): SidecarPorts {
    if (this.#ports === undefined) throw new Error(`${this.part.name} has not started yet`)
    return this.#ports
  }

  /** Resolves when it listens on all of its ports. */
  async start(): Promise<void> {
    const { namespace, serviceAccount, workload, client } = this.#options
    const portsFile = join(this.#ground.state.hand, `${workload}.ports.json`)
    const tokenFile = join(this.#ground.state.hand, `${workload}.join-token`)
    await rm(portsFile, { force: true })
    const { token } = await client.send<{ token: string }>('POST', '/api/v1/join-tokens', {
      namespace,
      serviceAccount,
    })
    await writeWhole(tokenFile, token)

    this.part.start({
      command: process.execPath,
      args: [...NODE_FLAGS, ...MEMORY_FLAGS, MAIN],
      env: this.#environment(tokenFile, portsFile),
    })
    this.#ports = await this.part.until('it does not listen', START_DEADLINE_MS, () => readPorts(portsFile))
    // The token was good for once.
    await rm(tokenFile, { force: true })
  }

  /**
   * Resolves when it works with a snapshot in which its own Workload is the endpoint of its own Service. Asked of the
   * sidecar itself: versions of the control plane grow by changes that no sidecar is told of, because they are none to it.
   */
  async untilInForce(): Promise<void> {
    const { service, namespace } = this.#options
    const { admin, inbound } = this.ports
    await this.part.until('its Workload is not in force', SNAPSHOT_DEADLINE_MS, async () => {
      const config = await getJson<{ snapshot: Snapshot }>(`http://127.0.0.1:${admin}/config`)
      const own = config?.snapshot.services.find(
        (entry) => entry.name === service && entry.namespace === namespace,
      )
      return own?.endpoints.some(({ port }) => port === inbound) === true ? true : undefined
    })
    this.part.markReady()
  }

  stop(): Promise<void> {
    return this.part.stop(STOP_DEADLINE_MS)
  }

  #environment(tokenFile: string, portsFile: string): NodeJS.ProcessEnv {
    const { workload, grpcAddress, controlPlaneUrl, appPort, ingressPort } = this.#options
    return {
      ...this.#ground.env,
      WEFT_CONTROL_PLANE: grpcAddress,
      WEFT_JOIN_TOKEN_FILE: tokenFile,
      WEFT_WORKLOAD: workload,
      WEFT_TELEMETRY_URL: controlPlaneUrl,
      WEFT_OUTBOUND_PORT: '0',
      WEFT_INBOUND_PORT: '0',
      WEFT_EVENTS_PORT: '0',
      WEFT_EVENTS_GRPC_PORT: '0',
      WEFT_KAFKA_PORT: '0',
      WEFT_ADMIN_PORT: '0',
      WEFT_DRAIN_MS: String(DRAIN_MS),
      WEFT_SPOOL_DIR: join(this.#ground.state.data, `${workload}.spool`),
      WEFT_PORTS_FILE: portsFile,
      WEFT_APP_PORT: String(appPort),
      ...(ingressPort !== undefined && { WEFT_INGRESS_PORT: String(ingressPort) }),
    }
  }
}

async function readPorts(file: string): Promise<SidecarPorts | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    return JSON.parse(text) as SidecarPorts
  } catch (error) {
    throw new Error(`${file} is damaged: ${messageOf(error)}`, { cause: error })
  }
}

interface AppPlace {
  readonly appPort: number
  readonly controlPlaneUrl: string
}

/** What an app needs to know of its sidecar: proxy, event API and Kafka address, and that loopback needs no proxy. */
export function appEnvironment(
  ports: SidecarPorts,
  { appPort, controlPlaneUrl }: AppPlace,
): Record<string, string> {
  const outbound = `http://127.0.0.1:${ports.outbound}`
  return {
    PORT: String(appPort),
    HTTP_PROXY: outbound,
    http_proxy: outbound,
    NODE_USE_ENV_PROXY: '1',
    NO_PROXY: '127.0.0.1,localhost',
    no_proxy: '127.0.0.1,localhost',
    WEFT_OUTBOUND_URL: outbound,
    WEFT_EVENTS_URL: `http://127.0.0.1:${ports.events}`,
    WEFT_EVENTS_GRPC_TARGET: `127.0.0.1:${ports.eventsGrpc}`,
    WEFT_KAFKA_BOOTSTRAP: `127.0.0.1:${ports.kafka}`,
    WEFT_DASHBOARD_URL: `${controlPlaneUrl}/`,
  }
}
