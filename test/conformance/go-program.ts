/** Test programs that others wrote in Go, built once into a cache folder. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weft', 'conformance')
/** A cold build of gRPC on a machine that is busy. */
const BUILD_TIMEOUT_MS = 600_000

export type GoProgram = { readonly path: string } | { readonly missing: string }

/** The program of `package` at `version` (`v1.2.3`); `missing` says why there is none, for the test that is skipped. */
export async function goProgram(packagePath: string, version: string): Promise<GoProgram> {
  const folder = join(CACHE, `${packagePath.replaceAll('/', '_')}@${version}`)
  const path = join(folder, basename(packagePath))
  if (existsSync(path)) return { path }
  try {
    await run('go', ['install', `${packagePath}@${version}`], {
      env: { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' },
      timeout: BUILD_TIMEOUT_MS,
    })
    return { path }
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : String(error)
    return { missing: `${packagePath}@${version} cannot be built (needs Go and its module proxy): ${reason}` }
  }
}
