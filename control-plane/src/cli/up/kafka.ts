import { type Broker, startBroker } from './broker.ts'
import type { ControlPlane } from './control-plane.ts'
import type { Ground } from './ground.ts'
import type { KafkaSettings } from './mesh-file.ts'
import { Part } from './part.ts'
import type { Tethered } from './tether.ts'

export type KafkaSecurity = 'mtls' | 'tls' | 'plaintext'

/** What the mesh and its tests know of Kafka. */
export interface Kafka {
  readonly bootstrapServers: readonly string[]
  readonly security: KafkaSecurity
  /** Process id of the broker; undefined while it is stopped, and always where the broker is somebody else's. */
  readonly pid: number | undefined
  /** Comes back on the same port with the data that it had. Nothing happens to a broker that is somebody else's. */
  start(): Promise<void>
  stop(): Promise<void>
  /** As Service.kill: the end that follows is no crash. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** For the end of the mesh: the log file is whole. */
  closeLogs(): Promise<void>
}

interface LocalKafkaOptions {
  readonly controlPlane: ControlPlane
  readonly port: number
  readonly settings: KafkaSettings
}

const STOP_DEADLINE_MS = 15_000
/** A broker that is still starting has promised nobody anything. */
const ABORTED_START_DEADLINE_MS = 1_000
/** The certificate is made anew at each start, and the broker reads it at its start only. */
const CERTIFICATE_TTL_SECONDS = 30 * 24 * 3600

/** A real broker of this mesh, with mTLS: its certificate comes from the mesh's own authority. */
export class LocalKafka implements Kafka {
  readonly bootstrapServers: readonly string[]
  readonly security = 'mtls'
  readonly #ground: Ground
  readonly #options: LocalKafkaOptions
  readonly #part: Part

  constructor(ground: Ground, options: LocalKafkaOptions) {
    this.#ground = ground
    this.#options = options
    this.#part = new Part(ground, 'kafka')
    this.bootstrapServers = [`127.0.0.1:${options.port}`]
  }

  get pid(): number | undefined {
    return this.#part.pid
  }

  async start(): Promise<void> {
    if (this.#part.isRunning) return
    const started = Date.now()
    const { report, state, signal } = this.#ground
    const { controlPlane, settings, port } = this.#options
    report({ part: 'kafka', state: 'starting' })
    const tls = await controlPlane.client.send<CertificateAnswer>('POST', '/api/v1/certificates', {
      namespace: 'kafka',
      serviceAccount: 'kafka',
      dnsNames: ['localhost', '127.0.0.1'],
      ttlSeconds: CERTIFICATE_TTL_SECONDS,
    })
    const children = new Map<Broker['process'], Tethered>()
    // Ctrl-C while the broker starts: it is nobody's part yet.
    const endAll = () => children.forEach((child) => void child.stop(ABORTED_START_DEADLINE_MS))
    signal.addEventListener('abort', endAll, { once: true })
    const broker = await startBroker({
      dataDir: state.kafka,
      port,
      tls,
      properties: settings.properties,
      onLog: (line) => this.#part.log.line(line),
      onProgress: (detail) => report({ part: 'kafka', state: 'note', detail }),
      spawn: (command, args) => {
        signal.throwIfAborted()
        const tethered = this.#ground.tether.spawn(command, args, { env: this.#ground.env })
        children.set(tethered.child, tethered)
        return tethered.child
      },
    })
    const tethered = children.get(broker.process)
    if (tethered === undefined) throw new Error('the broker was started by somebody else')
    signal.removeEventListener('abort', endAll)
    this.#part.adopt(tethered)
    this.#part.markReady()
    signal.throwIfAborted()
    report({ part: 'kafka', state: 'ready', ms: Date.now() - started })
  }

  async stop(): Promise<void> {
    if (!this.#part.isRunning) return
    this.#ground.report({ part: 'kafka', state: 'stopping' })
    await this.#part.stop(STOP_DEADLINE_MS)
    this.#ground.report({ part: 'kafka', state: 'stopped' })
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#part.kill(signal)
  }

  closeLogs(): Promise<void> {
    return this.#part.log.close()
  }
}

interface CertificateAnswer {
  readonly certificatePem: string
  readonly privateKeyPem: string
  readonly trustBundlePem: string
}

/** Brokers that run already, from KAFKA_BROKERS: never started, never stopped. */
export function externalKafka(bootstrapServers: readonly string[], security: KafkaSecurity): Kafka {
  const nothing = async (): Promise<void> => {}
  return {
    bootstrapServers,
    security,
    pid: undefined,
    start: nothing,
    stop: nothing,
    kill: nothing,
    closeLogs: nothing,
  }
}
