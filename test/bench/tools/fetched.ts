/** Peers and tools that are not npm packages: fetched once into a cache folder. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { cacheDir } from '@weft/control-plane/cli/kafka-jars'
import { Missing } from '../contestant.ts'

const run = promisify(execFile)
const CACHE = join(cacheDir(), 'bench')
/** Envoy alone is 60 MB, and a Go module has its dependencies compiled. */
const FETCH_DEADLINE_MS = 600_000

export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((file) => existsSync(file))
}

export interface Fetched {
  /** File or folder of the cache that is there when it has been fetched. */
  readonly name: string
  /** For the message: how a person gets it. */
  readonly how: string
  /** Commands that put it into the cache folder, which is where they run. */
  readonly commands: readonly (readonly [string, ...string[]])[]
  readonly env?: NodeJS.ProcessEnv
  /** Texts that the commands read, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** The absolute path; throws Missing where the commands fail. */
export async function fetched({ name, how, commands, env, files = {} }: Fetched): Promise<string> {
  const path = join(CACHE, name)
  if (existsSync(path)) return path
  await mkdir(CACHE, { recursive: true })
  process.stderr.write(`fetching ${name} …\n`)
  for (const [file, text] of Object.entries(files)) await writeFile(join(CACHE, file), text)
  try {
    for (const [file, ...words] of commands)
      await run(file, words, {
        cwd: CACHE,
        timeout: FETCH_DEADLINE_MS,
        maxBuffer: 1 << 24,
        env: { ...process.env, ...env },
      })
  } catch (error) {
    throw new Missing(`${how} (${firstLine(error)})`)
  }
  if (!existsSync(path)) throw new Missing(how)
  return path
}

export const cachePath = (...names: readonly string[]): string => join(CACHE, ...names)

/** A program of the PATH; throws Missing with the package that has it. */
export function needed(program: string, how: string): string {
  const found = onPath(program)
  if (found === undefined) throw new Missing(`${program}: ${how}`)
  return found
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
