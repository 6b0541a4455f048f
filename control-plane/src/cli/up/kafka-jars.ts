import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'

const POM = join(import.meta.dirname, '../../../../deploy/kafka/pom.xml')

/** Where what was fetched is kept between runs: `$WEFT_CACHE_DIR`, or the user's cache folder (XDG base directories). */
export function cacheDir(environment: NodeJS.ProcessEnv = process.env): string {
  return environment.WEFT_CACHE_DIR ?? join(environment.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weft')
}

/** True when the command exists and answers `--version` (or `-version`) with success. */
export async function commandWorks(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await exitOf(spawn(command, args, { stdio: 'ignore' }))) === 0
  } catch {
    return false
  }
}

/**
 * The folder with the jars of a Kafka broker: from the cache, or brought there by Maven once (about 45 MB).
 * The folder's name carries a hash of the pom, and it appears by rename: never half full.
 * Throws with Maven's output when Maven fails.
 */
export async function kafkaJars(onProgress: (line: string) => void): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12)
  const folder = join(cacheDir(), `kafka-${hash}`)
  if (existsSync(folder)) return folder

  onProgress('fetching Kafka with Maven (about 45 MB, once)')
  await mkdir(cacheDir(), { recursive: true })
  const partial = `${folder}.${process.pid}`
  const maven = spawn(
    'mvn',
    [
      '-B',
      '-q',
      '-f',
      POM,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${partial}`,
      '-DincludeScope=runtime',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let output = ''
  for (const stream of [maven.stdout, maven.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-4000)
    })
  }
  const code = await exitOf(maven)
  if (code !== 0) {
    await rm(partial, { recursive: true, force: true })
    throw new Error(
      `Maven could not fetch the Kafka jars (exit ${code}). Is a Maven repository reachable?\n${output.trim()}`,
    )
  }
  // Two runs may finish together: the second rename fails on a folder that is full, and that one serves both.
  await rename(partial, folder).catch(async (error: unknown) => {
    await rm(partial, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  })
  return folder
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
}
