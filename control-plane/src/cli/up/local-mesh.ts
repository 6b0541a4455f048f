import { join } from 'node:path'
import { CliError, usageError } from '../errors.ts'
import type { ControlPlane } from './control-plane.ts'
import type { Controlled, MeshView, Verb } from './control-socket.ts'
import { childEnvironment, type Ground, type Progress } from './ground.ts'
import type { Kafka } from './kafka.ts'
import type { MeshFile } from './mesh-file.ts'
import { makeParts, type Parts } from './parts.ts'
import { serviceYaml } from './resources.ts'
import type { Service } from './service.ts'
import { removeContext, type StateFolder, writeContext, writeWhole } from './state.ts'
import { createTether, type Tether } from './tether.ts'
import { untilTopicsExist } from './topics.ts'
import { watchPaths } from './watch.ts'

interface LocalMeshOptions {
  readonly file: MeshFile
  /** Services that no resource file has a Service for. */
  readonly unwritten: readonly string[]
  readonly state: StateFolder
  readonly socketPath: string
  readonly env: NodeJS.ProcessEnv
  readonly restart: 'always' | undefined
  readonly preferDefaultPorts: boolean
  readonly contextFolders: readonly string[]
  readonly onProgress: (progress: Progress) => void
  readonly onLog: (part: string, line: string) => void
}

/** The parts of one mesh, and the order in which they start and end. */
export class LocalMesh implements Controlled {
  readonly name: string
  readonly stateDir: string
  readonly controlPlane: ControlPlane
  readonly kafka: Kafka | undefined
  readonly services: ReadonlyMap<string, Service>
  /** See Mesh. */
  readonly ended: Promise<Error | undefined>
  adminToken = ''
  readonly #options: LocalMeshOptions
  readonly #tether: Tether
  readonly #abort: AbortController
  readonly #resolveEnded: (error: Error | undefined) => void
  readonly #stopWatching: (() => void)[] = []
  #starting: Promise<void> = Promise.resolve()
  #ending: Promise<void> | undefined
  #isReady = false

  /** Chooses every port and starts nothing yet. */
  static async create(options: LocalMeshOptions): Promise<LocalMesh> {
    const tether = createTether()
    const abort = new AbortController()
    const late: { crash(error: Error): void } = { crash: () => {} }
    const ground: Ground = {
      tether,
      state: options.state,
      env: childEnvironment(options.env),
      signal: abort.signal,
      report: options.onProgress,
      onLog: options.onLog,
      crash: (error) => late.crash(error),
    }
    try {
      const mesh = new LocalMesh(options, await makeParts(ground, options), { tether, abort })
      late.crash = (error) => void mesh.#end(error)
      return mesh
    } catch (error) {
      await tether.release()
      throw error
    }
  }

  private constructor(
    options: LocalMeshOptions,
    parts: Parts,
    reins: { tether: Tether; abort: AbortController },
  ) {
    this.name = options.file.name
    this.stateDir = options.state.root
    this.controlPlane = parts.controlPlane
    this.kafka = parts.kafka
    this.services = parts.services
    this.#options = options
    this.#tether = reins.tether
    this.#abort = reins.abort
    const { promise, resolve } = Promise.withResolvers<Error | undefined>()
    this.ended = promise
    this.#resolveEnded = resolve
  }

  get controlPlaneUrl(): string {
    return this.controlPlane.url
  }

  /** Rejects with the reason after everything has stopped again: what failed, or what aborted the signal. */
  async start(signal: AbortSignal | undefined): Promise<void> {
    const onAbort = () => void this.#end(toError(signal?.reason))
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#starting = this.#startAll()
    try {
      await this.#starting
      this.#isReady = true
    } catch (error) {
      await this.#end(toError(error))
      throw this.#abort.signal.reason
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  stop(): Promise<void> {
    return this.#end(undefined)
  }

  kill(): void {
    this.#tether.killAll()
  }

  view(): MeshView {
    return {
      name: this.name,
      pid: process.pid,
      services: [...this.services.values()].map((service) => service.view()),
    }
  }

  async act(verb: Verb, name: string): Promise<void> {
    const service = this.services.get(name)
    if (service === undefined)
      throw usageError(`${this.name} has no service ${name}: it has ${[...this.services.keys()].join(', ')}`)
    if (!this.#isReady)
      throw new CliError(`${this.name} is still starting`, { hint: 'Try again when it is ready.' })
    if (verb !== 'start') await service.stop()
    if (verb !== 'stop') await service.start()
  }

  async #startAll(): Promise<void> {
    const { file, state, unwritten } = this.#options
    for (const name of unwritten)
      await writeWhole(join(state.run, `${name}.service.yaml`), serviceYaml(name, file.namespace), 0o644)
    await this.controlPlane.start()
    this.adminToken = await this.controlPlane.adminToken()
    const services = [...this.services.values()]
    // A sidecar needs the control plane only; the broker takes longest. So they start side by side.
    await this.#allOf([this.#startKafka(), ...services.map((service) => service.startSidecar())])
    // Only now do the workloads join: a change of resources is what makes the control plane look at the broker again.
    await this.#allOf([this.#untilTopicsExist(), ...services.map((service) => service.join())])
    await this.#allOf(services.map((service) => service.startApp()))
    for (const { name, watch } of file.services)
      if (watch.length > 0)
        this.#stopWatching.push(watchPaths(watch, () => void this.services.get(name)?.reloadApp()))
    await this.#writeContext()
  }

  async #startKafka(): Promise<void> {
    await this.kafka?.start()
  }

  /** Apps that start find their topics. */
  async #untilTopicsExist(): Promise<void> {
    if (this.kafka !== undefined) await untilTopicsExist(this.controlPlane.client, this.#abort.signal)
  }

  /** Waits for all even when one fails, and ends the others then: what still starts while the mesh stops would stay behind. */
  async #allOf(starts: readonly Promise<void>[]): Promise<void> {
    const results = await Promise.allSettled(
      starts.map((start) =>
        start.catch((error: unknown) => {
          this.#abort.abort(error)
          throw error
        }),
      ),
    )
    if (results.some(({ status }) => status === 'rejected')) throw this.#abort.signal.reason
  }

  #end(error: Error | undefined): Promise<void> {
    this.#ending ??= this.#endAll(error)
    return this.#ending
  }

  /** Apps → sidecars → broker → control plane: each still has what it needs while it ends. */
  async #endAll(error: Error | undefined): Promise<void> {
    this.#abort.abort(error ?? new CliError(`${this.name} was stopped`))
    for (const stopWatching of this.#stopWatching) stopWatching()
    await this.#starting.catch(() => {})
    const services = [...this.services.values()]
    await removeContext(this.#options.contextFolders)
    await Promise.all(services.map((service) => service.stopApp()))
    await Promise.all(services.map((service) => service.stopSidecar()))
    await this.kafka?.stop()
    await this.controlPlane.stop()
    const parts = [...services, ...(this.kafka === undefined ? [] : [this.kafka]), this.controlPlane]
    await Promise.all(parts.map((part) => part.closeLogs()))
    await this.#tether.release()
    this.#resolveEnded(error)
  }

  async #writeContext(): Promise<void> {
    const { url, grpcAddress, adminTokenFile } = this.controlPlane
    await writeContext(this.#options.contextFolders, {
      name: this.name,
      pid: process.pid,
      controlPlaneUrl: url,
      grpcAddress,
      adminTokenFile,
      dashboardUrl: `${url}/`,
      socketPath: this.#options.socketPath,
      stateDir: this.stateDir,
    })
  }
}

const toError = (reason: unknown): Error => (reason instanceof Error ? reason : new CliError(String(reason)))
