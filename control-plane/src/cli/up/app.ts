import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ground } from './ground.ts'
import { answersOk, portIsOpen } from './health.ts'
import type { LogFile } from './log-file.ts'
import type { ServiceSettings } from './mesh-file.ts'
import { Part } from './part.ts'
import { appEnvironment, type SidecarPorts } from './sidecar.ts'
import type { Exit } from './tether.ts'

/** An app that compiles at its first start takes long; one that hangs should be told of. */
const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 10_000

interface AppOptions {
  readonly settings: ServiceSettings
  readonly port: number
  readonly controlPlaneUrl: string
  /** Asked at each start: a sidecar that was started anew listens elsewhere. */
  readonly sidecarPorts: () => SidecarPorts
  /** The app was healthy and ended, and nobody had asked for it. */
  readonly onCrash: (exit: Exit) => void
}

/** The app of one service: a command of somebody else, on a port of our choice. */
export class App {
  readonly #ground: Ground
  readonly #options: AppOptions
  readonly #part: Part
  #startedAt = 0

  constructor(ground: Ground, options: AppOptions) {
    this.#ground = ground
    this.#options = options
    this.#part = new Part(ground, options.settings.name, options.onCrash)
  }

  get pid(): number | undefined {
    return this.#part.pid
  }

  get isRunning(): boolean {
    return this.#part.isRunning
  }

  get log(): LogFile {
    return this.#part.log
  }

  /** Since its last start. */
  get ageMs(): number {
    return Date.now() - this.#startedAt
  }

  /** Resolves when it is healthy. An app that does not get there is ended again before this rejects. */
  async start(): Promise<void> {
    if (this.isRunning) return
    const { settings, port } = this.#options
    const { healthPath, command: words, name } = settings
    const [command, ...args] = words
    await mkdir(this.#dataFolder(), { recursive: true, mode: 0o700 })
    this.#startedAt = Date.now()
    this.#ground.report({ part: name, state: 'starting' })
    this.#part.start({ command, args, cwd: settings.workdir, env: this.#environment() })
    const what =
      healthPath === undefined ? `nothing listens on port ${port}` : `${healthPath} does not answer 200`
    try {
      await this.#part.until(what, START_DEADLINE_MS, async () => {
        const isHealthy =
          healthPath === undefined ? await portIsOpen(port) : await answersOk(port, healthPath)
        return isHealthy ? true : undefined
      })
    } catch (error) {
      await this.#part.stop(STOP_DEADLINE_MS)
      throw error
    }
    this.#part.markReady()
    this.#ground.report({ part: name, state: 'ready', ms: this.ageMs })
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return
    const { name } = this.#options.settings
    this.#ground.report({ part: name, state: 'stopping' })
    await this.#part.stop(STOP_DEADLINE_MS)
    this.#ground.report({ part: name, state: 'stopped' })
  }

  kill(signal: NodeJS.Signals): Promise<void> {
    return this.#part.kill(signal)
  }

  crashError(exit: Exit): Error {
    return this.#part.crashError(exit)
  }

  #environment(): NodeJS.ProcessEnv {
    const { settings, port, controlPlaneUrl, sidecarPorts } = this.#options
    return {
      ...this.#ground.env,
      ...appEnvironment(sidecarPorts(), { appPort: port, controlPlaneUrl }),
      WEFT_DATA_DIR: this.#dataFolder(),
      ...settings.env,
    }
  }

  #dataFolder(): string {
    return join(this.#ground.state.data, this.#options.settings.name)
  }
}
