/** Clients of others, brought once into a cache folder where that is asked for, and used where they are there already. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weft', 'conformance')
/** They are tens of megabytes and minutes: `npm test` uses what is there, and says what it skipped. */
const MAY_FETCH = process.env.WEFT_CONFORMANCE === 'all'
const FETCH_TIMEOUT_MS = 600_000

export type Found<T> = T | { readonly missing: string }

/** An interpreter that has the packages of requirements.txt. */
export const pythonWithClients = (): Promise<Found<{ readonly python: string }>> =>
  fetched('python', join(import.meta.dirname, 'python', 'requirements.txt'), async (folder, requirements) => {
    await run('python3', ['-m', 'venv', folder], { timeout: FETCH_TIMEOUT_MS })
    await run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '-r', requirements], {
      timeout: FETCH_TIMEOUT_MS,
    })
  }).then((found) => ('missing' in found ? found : { python: join(found.folder, 'bin', 'python') }))

/** The class path of Kafka's own clients and test tools. */
export const javaClients = (version: string): Promise<Found<{ readonly classPath: string }>> =>
  fetched(`java-${version}`, join(import.meta.dirname, 'java', 'pom.xml'), async (folder, pom) => {
    const settings = [
      'dependency:copy-dependencies',
      `-DoutputDirectory=${folder}`,
      `-Dkafka.version=${version}`,
    ]
    await run('mvn', ['-B', '-q', '-f', pom, ...settings], { timeout: FETCH_TIMEOUT_MS })
  }).then((found) => ('missing' in found ? found : { classPath: join(found.folder, '*') }))

/** The program of franz-go in `go/`. */
export const franzGo = (): Promise<Found<{ readonly program: string }>> =>
  fetched('go', join(GO, 'main.go'), async (folder) => {
    await run('go', ['build', '-o', join(folder, 'franz'), '.'], { cwd: GO, timeout: FETCH_TIMEOUT_MS })
  }).then((found) => ('missing' in found ? found : { program: join(found.folder, 'franz') }))
const GO = join(import.meta.dirname, 'go')

export async function kcat(): Promise<Found<{ readonly kcat: string }>> {
  try {
    await run('kcat', ['-V'])
    return { kcat: 'kcat' }
  } catch {
    return { missing: 'kcat is not installed' }
  }
}

/** A virtual environment knows its own path: it is made where it stays, and counts as there when it is finished. */
async function fetched(
  name: string,
  list: string,
  fetch: (folder: string, list: string) => Promise<void>,
): Promise<Found<{ readonly folder: string }>> {
  const hash = createHash('sha256')
    .update(await readFile(list))
    .digest('hex')
    .slice(0, 12)
  const folder = join(CACHE, `kafka-clients-${name}-${hash}`)
  const isWhole = join(folder, '.whole')
  if (existsSync(isWhole)) return { folder }
  if (!MAY_FETCH)
    return { missing: `the clients for ${name} are not in ${CACHE}: WEFT_CONFORMANCE=all brings them` }
  try {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    await fetch(folder, list)
    await mkdir(`${isWhole}.new`)
    await rename(`${isWhole}.new`, isWhole)
    return { folder }
  } catch (error) {
    return {
      missing: `the clients for ${name} cannot be had: ${String(error).split('\n').slice(0, 2).join(' ')}`,
    }
  }
}
