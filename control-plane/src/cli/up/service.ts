import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stringify } from 'yaml'
import { CliError, messageOf } from '../errors.ts'
import { App } from './app.ts'
import type { ControlPlane } from './control-plane.ts'
import type { ServiceView } from './control-socket.ts'
import type { Ground } from './ground.ts'
import type { ServiceSettings } from './mesh-file.ts'
import { workloadResource } from './resources.ts'
import { Sidecar, type SidecarPorts } from './sidecar.ts'
import { writeWhole } from './state.ts'
import { type Exit, formatExit } from './tether.ts'

/** Between starts of an app that keeps ending; doubles from the first to the last. */
const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 5_000
/** An app that has run this long may start again at once. */
const SETTLED_MS = 10_000

interface ServicePorts extends SidecarPorts {
  readonly app: number
}

type ServiceState = 'starting' | 'ready' | 'stopped' | 'failed'

interface ServiceOptions {
  readonly settings: ServiceSettings
  readonly namespace: string
  readonly appPort: number
  readonly ingressPort: number | undefined
  readonly controlPlane: ControlPlane
}

/**
 * One service: an app and its sidecar.
 *
 *   stopped ──start──> starting ──healthy──> ready ──stop, kill──> stopped
 *                         └─────fails──> failed       └──ends by itself──> crash of the mesh, or starting (restart: always)
 */
export class Service {
  readonly name: string
  readonly #ground: Ground
  readonly #options: ServiceOptions
  readonly #app: App
  readonly #sidecar: Sidecar
  #state: ServiceState = 'stopped'
  #sidecarStartedAt = 0
  #backoffMs = FIRST_BACKOFF_MS
  /** Starts and stops of one service happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Aborted by a stop: ends the wait of an app that keeps ending. */
  #wanted = new AbortController()

  constructor(ground: Ground, options: ServiceOptions) {
    const { settings, namespace, controlPlane, appPort, ingressPort } = options
    const { name, serviceAccount } = settings
    this.name = name
    this.#ground = ground
    this.#options = options
    this.#app = new App(ground, {
      settings,
      port: appPort,
      controlPlaneUrl: controlPlane.url,
      sidecarPorts: () => this.#sidecar.ports,
      onCrash: (exit) => this.#appEnded(exit),
    })
    this.#sidecar = new Sidecar(ground, {
      workload: name,
      service: name,
      namespace,
      serviceAccount,
      appPort,
      ingressPort,
      grpcAddress: controlPlane.grpcAddress,
      controlPlaneUrl: controlPlane.url,
      client: controlPlane.client,
    })
  }

  /** Process id of the app; undefined while it is stopped. */
  get pid(): number | undefined {
    return this.#app.pid
  }

  get sidecarPid(): number | undefined {
    return this.#sidecar.part.pid
  }

  /** Ports of the app and of its sidecar; those of the sidecar are others after a stop and a start. */
  get ports(): ServicePorts {
    return { app: this.#options.appPort, ...this.#sidecar.ports }
  }

  get logFile(): string {
    return this.#app.log.path
  }

  get sidecarLogFile(): string {
    return this.#sidecar.part.log.path
  }

  /** Plain loopback address for callers without identity, where the service has one. */
  get ingressUrl(): string | undefined {
    const port = this.#sidecar.ports.ingress
    return port === undefined ? undefined : `http://127.0.0.1:${port}`
  }

  view(): ServiceView {
    const { name, pid, sidecarPid, logFile } = this
    return {
      name,
      state: this.#state,
      logFile,
      ...(pid !== undefined && { pid }),
      ...(sidecarPid !== undefined && { sidecarPid }),
      ...(this.#sidecar.hasPorts && { ports: { ...this.ports } }),
    }
  }

  /** Starts what does not run: the sidecar, until it has its own Workload in force, then the app, until it is healthy. */
  start(): Promise<void> {
    return this.#inTurn(async () => {
      this.#wanted = new AbortController()
      await this.startSidecar()
      await this.join()
      await this.startApp()
    })
  }

  /** The first step of `start`: needs the control plane only, so that a mesh can do it while its broker starts. */
  async startSidecar(): Promise<void> {
    if (this.#sidecar.part.isRunning) return
    this.#sidecarStartedAt = Date.now()
    this.#report(this.#sidecar.part.name, 'starting')
    await this.#becoming(() => this.#sidecar.start())
  }

  /** The second step: the mesh learns of the service, and its sidecar of that. */
  async join(): Promise<void> {
    if (this.#app.isRunning) return
    await this.#becoming(async () => {
      await writeWhole(this.#workloadFile(), this.#workload(), 0o644)
      await this.#sidecar.untilInForce()
    })
    this.#report(this.#sidecar.part.name, 'ready', Date.now() - this.#sidecarStartedAt)
  }

  /** The last step: needs the sidecar, and whatever the app wants of the rest of the mesh. */
  async startApp(): Promise<void> {
    await this.#becoming(() => this.#app.start())
    this.#state = 'ready'
  }

  /** The app first, then its sidecar, which lets what is in flight end. Nobody is sent to it any more. */
  async stop(): Promise<void> {
    // Before its turn comes: a start that waits for an app that never gets healthy would not let it come.
    this.#wanted.abort(new CliError(`${this.name} was stopped`))
    await this.stopApp()
    await this.#inTurn(async () => {
      await this.stopApp()
      await this.stopSidecar()
      await rm(this.#workloadFile(), { force: true })
    })
  }

  async stopApp(): Promise<void> {
    await this.#app.stop()
    this.#state = 'stopped'
  }

  async stopSidecar(): Promise<void> {
    if (!this.#sidecar.part.isRunning) return
    this.#report(this.#sidecar.part.name, 'stopping')
    await this.#sidecar.stop()
    this.#report(this.#sidecar.part.name, 'stopped')
  }

  /** The app alone, on the same port; its sidecar stays. One that does not start is told of, and is no crash. */
  reloadApp(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#state === 'stopped') return
      await this.#app.stop()
      await this.startApp().catch((error: unknown) => {
        const detail = `${messageOf(error)}; waits for a change`
        this.#ground.report({ part: this.name, state: 'failed', detail })
      })
    })
  }

  /**
   * Sends the app a signal. An end that follows from it is no crash, whatever `restart` says: the service stays
   * stopped, its sidecar running, until `start`. (A kill from outside of this process is a crash.)
   */
  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#app.kill(signal)
    if (this.#app.isRunning) return
    this.#wanted.abort(new CliError(`${this.name} was killed`))
    this.#state = 'stopped'
  }

  /** For the end of the mesh: the log files are whole. */
  async closeLogs(): Promise<void> {
    await Promise.all([this.#app.log.close(), this.#sidecar.part.log.close()])
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #becoming(step: () => Promise<void>): Promise<void> {
    this.#wanted.signal.throwIfAborted()
    this.#state = 'starting'
    try {
      await step()
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
  }

  #appEnded(exit: Exit): void {
    this.#state = 'failed'
    if (this.#options.settings.restart === 'never') this.#ground.crash(this.#app.crashError(exit))
    else void this.#inTurn(() => this.#startAgain(exit))
  }

  async #startAgain(exit: Exit): Promise<void> {
    const signal = AbortSignal.any([this.#ground.signal, this.#wanted.signal])
    for (let why = formatExit(exit); !signal.aborted && !this.#app.isRunning; ) {
      if (this.#app.ageMs > SETTLED_MS) this.#backoffMs = FIRST_BACKOFF_MS
      const detail = `${why}; starts again in ${this.#backoffMs / 1000} s`
      this.#ground.report({ part: this.name, state: 'note', detail })
      await delay(this.#backoffMs, undefined, { signal }).catch(() => {})
      this.#backoffMs = Math.min(2 * this.#backoffMs, LAST_BACKOFF_MS)
      if (signal.aborted) return
      try {
        return await this.startApp()
      } catch (error) {
        why = messageOf(error)
      }
    }
  }

  #workloadFile(): string {
    return join(this.#ground.state.run, `${this.name}.workload.yaml`)
  }

  #workload(): string {
    const { settings, namespace, appPort } = this.#options
    const { name, serviceAccount } = settings
    const { ports } = this.#sidecar
    return stringify(workloadResource({ name, namespace, service: name, serviceAccount, appPort, ports }))
  }

  #report(part: string, state: 'starting' | 'ready' | 'stopping' | 'stopped', ms?: number): void {
    this.#ground.report({ part, state, ...(ms !== undefined && { ms }) })
  }
}
