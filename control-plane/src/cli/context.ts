import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CliError, messageOf } from './errors.ts'

/** What `weft up` leaves in `.weft/context.json`, so that the other commands find the mesh without a flag. */
export interface MeshContext {
  /** Name of the mesh, from its file. */
  readonly name: string
  /** Process id of `weft up`. */
  readonly pid: number
  readonly controlPlaneUrl: string
  /** `host:port` where sidecars join. */
  readonly grpcAddress: string
  /** File with the token for writes; the token itself is never in an argument or in this file. */
  readonly adminTokenFile: string
  readonly dashboardUrl: string
  /** Unix socket of `weft up`, for `weft stop`, `start` and `restart`. */
  readonly socketPath: string
  readonly stateDir: string
}

export const CONTEXT_FILE = join('.weft', 'context.json')

const TEXTS = [
  'name',
  'controlPlaneUrl',
  'grpcAddress',
  'adminTokenFile',
  'dashboardUrl',
  'socketPath',
  'stateDir',
]

/** The nearest `.weft/context.json` from `folder` upwards; undefined where there is none. Throws on one that is damaged. */
export async function findContext(folder: string): Promise<MeshContext | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, CONTEXT_FILE)
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR' || error.code === 'EACCES') return undefined
      throw error
    })
    if (text !== undefined) return parseContext(text, file)
    if (dirname(at) === at) return undefined
  }
}

function parseContext(text: string, file: string): MeshContext {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) throw new Error('it is not an object')
    const missing = TEXTS.filter((key) => typeof (value as Record<string, unknown>)[key] !== 'string')
    if (missing.length > 0) throw new Error(`it has no ${missing.join(', ')}`)
    return value as MeshContext
  } catch (error) {
    throw new CliError(`${file} is damaged: ${messageOf(error)}`, {
      hint: 'Remove it, or start the mesh again with `weft up`.',
      cause: error,
    })
  }
}
