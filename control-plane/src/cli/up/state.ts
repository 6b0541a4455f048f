import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { CONTEXT_FILE, type MeshContext } from '../context.ts'

/** Where the parts of one mesh keep what they write. */
export interface StateFolder {
  readonly root: string
  /** WEFT_STATE_DIR of the control plane: keys, tokens, resources of the API. Kept between starts. */
  readonly controlPlane: string
  /** Log of the broker. Kept between starts. */
  readonly kafka: string
  /** A folder for each service to keep its data in, as WEFT_DATA_DIR. Kept between starts. */
  readonly data: string
  /** Resources of this run (workloads), watched by the control plane beside the user's own. Emptied at each start. */
  readonly run: string
  /** Ports files and join tokens. Emptied at each start. */
  readonly hand: string
  readonly logs: string
}

/** A Unix socket's path may have 107 bytes on Linux, 103 on macOS. */
const MAX_SOCKET_PATH = 100

/** In the state folder, or where its path is too long for a socket, in the temporary folder. */
export function socketPathOf(root: string): string {
  const inside = join(root, 'up.sock')
  if (Buffer.byteLength(inside) <= MAX_SOCKET_PATH) return inside
  return join(tmpdir(), `weft-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.sock`)
}

/** Makes the folders, private to the user; `run` and `hand` come out empty. */
export async function prepareState(root: string): Promise<StateFolder> {
  const state: StateFolder = {
    root,
    controlPlane: join(root, 'control-plane'),
    kafka: join(root, 'kafka'),
    data: join(root, 'data'),
    run: join(root, 'run'),
    hand: join(root, 'hand'),
    logs: join(root, 'logs'),
  }
  await mkdir(root, { recursive: true, mode: 0o700 })
  for (const folder of [state.run, state.hand]) await rm(folder, { recursive: true, force: true })
  for (const folder of [state.controlPlane, state.kafka, state.data, state.run, state.hand, state.logs])
    await mkdir(folder, { recursive: true, mode: 0o700 })
  return state
}

/** Appears whole or not at all: who watches the folder never reads half a file. */
export async function writeWhole(file: string, text: string, mode = 0o600): Promise<void> {
  const partial = join(dirname(file), `.${process.pid}.${Math.random().toString(36).slice(2)}.partial`)
  await writeFile(partial, text, { mode })
  await rename(partial, file)
}

/** Writes the context file below each folder; `.weft` ignores itself, so that no token path is ever committed. */
export async function writeContext(folders: readonly string[], context: MeshContext): Promise<void> {
  for (const folder of new Set(folders)) {
    const file = join(folder, CONTEXT_FILE)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(join(dirname(file), '.gitignore'), '*\n')
    await writeWhole(file, `${JSON.stringify(context, null, 2)}\n`)
  }
}

/** Removes the context files that are still those of this process: another mesh may have been started since. */
export async function removeContext(folders: readonly string[]): Promise<void> {
  for (const folder of new Set(folders)) {
    const file = join(folder, CONTEXT_FILE)
    const text = await readFile(file, 'utf8').catch(() => '{}')
    if ((JSON.parse(text) as Partial<MeshContext>).pid !== process.pid) continue
    await rm(file, { force: true })
    // Where the state lies elsewhere, nothing of ours stays.
    const left = await readdir(dirname(file))
    if (left.length === 1 && left[0] === '.gitignore') await rm(dirname(file), { recursive: true })
  }
}
