import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CliError } from '../errors.ts'
import type { ControlPlane } from './control-plane.ts'
import { openControlSocket } from './control-socket.ts'
import type { Progress } from './ground.ts'
import type { Kafka } from './kafka.ts'
import { LocalMesh } from './local-mesh.ts'
import { readMeshFile } from './mesh-file.ts'
import { checkMeshResources } from './resources.ts'
import type { Service } from './service.ts'
import { prepareState, socketPathOf } from './state.ts'

export interface MeshOptions {
  /** Path of the `weft.yaml`. */
  readonly file: string
  /** Default: `.weft/<name>` beside the file. */
  readonly stateDir?: string
  /** Default: that of this process. KAFKA_BROKERS and KAFKA_SECURITY are read from it. */
  readonly env?: NodeJS.ProcessEnv
  /** Folder that paths in messages are shown from. Default: that of this process. */
  readonly cwd?: string
  /** Overrides `restart` of every service. */
  readonly restart?: 'always'
  /** 15014 and 15012 for the control plane if they are free. Default: any free ports. */
  readonly preferDefaultPorts?: boolean
  /** Folders that get a `.weft/context.json` while the mesh runs, so that commands find it. Default: none. */
  readonly contextFolders?: readonly string[]
  /** Stops the mesh, whether it is starting (then the start rejects with the reason) or running. */
  readonly signal?: AbortSignal
  /** Kills it at once, whether it is starting, running or stopping. */
  readonly killSignal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
  /** Every line that any process of the mesh writes. */
  readonly onLog?: (part: string, line: string) => void
}

/** A running mesh: real processes, all of which end with `stop`, with a crash of any of them, and with this process. */
export interface Mesh {
  readonly name: string
  readonly stateDir: string
  readonly controlPlane: ControlPlane
  readonly controlPlaneUrl: string
  /** For writes to the control plane. */
  readonly adminToken: string
  /** Undefined where the file says `kafka: none`. */
  readonly kafka: Kafka | undefined
  readonly services: ReadonlyMap<string, Service>
  /** Resolves when everything has stopped: with the error after a crash, with undefined after `stop`. Never rejects. */
  readonly ended: Promise<Error | undefined>
  /** Apps, then sidecars, broker, control plane. Resolves when no process is left. */
  stop(): Promise<void>
  /** SIGKILL to everything, now. */
  kill(): void
}

/**
 * Starts all of a mesh file and resolves when every service is ready. Rejects with what failed, after everything that
 * had started has stopped again.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const file = await readMeshFile(resolve(options.file))
  const { unwritten } = await checkMeshResources(file, options.cwd ?? process.cwd())
  const stateDir = resolve(options.stateDir ?? join(file.folder, '.weft', file.name))
  await mkdir(stateDir, { recursive: true, mode: 0o700 })

  let mesh: LocalMesh | undefined
  const running = (): LocalMesh => {
    if (mesh === undefined) throw new CliError(`the mesh ${file.name} is about to start`)
    return mesh
  }
  // The socket is the lock too: nothing of the folder is touched before it is ours.
  const socketPath = socketPathOf(stateDir)
  const socket = await openControlSocket(socketPath, {
    view: () => running().view(),
    act: (verb, service) => running().act(verb, service),
  })
  try {
    const { onProgress = () => {}, onLog = () => {}, env = process.env } = options
    mesh = await LocalMesh.create({
      file,
      unwritten,
      socketPath,
      state: await prepareState(stateDir),
      env,
      onProgress,
      onLog,
      restart: options.restart,
      preferDefaultPorts: options.preferDefaultPorts ?? false,
      contextFolders: (options.contextFolders ?? []).map((folder) => resolve(folder)),
    })
    void mesh.ended.then(() => socket.close())
    options.killSignal?.addEventListener('abort', () => mesh?.kill(), { once: true })
    await mesh.start(options.signal)
    options.signal?.addEventListener('abort', () => void mesh?.stop(), { once: true })
    return mesh
  } catch (error) {
    if (mesh === undefined) await socket.close()
    throw error
  }
}

/** Where `weft up` leaves its context: beside the file, and where the person stands if that is somewhere else. */
export function contextFoldersFor(file: string, cwd: string): readonly string[] {
  return [...new Set([dirname(resolve(file)), resolve(cwd)])]
}
