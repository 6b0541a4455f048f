import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { FileState } from '../source/file-state.ts'
import { CliError, usageError } from './errors.ts'
import type { Io } from './io.ts'
import { fileState, readFolders } from './up/resources.ts'

/** More on standard input is a mistake, and would fill the memory. */
const MAX_STDIN_BYTES = 16 * 1024 * 1024

/** The files that `-f` names: files, folders, and `-` for standard input. Throws with every fault at once; at least one resource. */
export async function readSources(io: Io, paths: readonly string[]): Promise<readonly FileState[]> {
  const files: FileState[] = []
  for (const path of paths) {
    if (path === '-') files.push(fileState('stdin', await readStdin(io)))
    else files.push(...(await readNamed(resolve(io.cwd, path), io.cwd, path)))
  }
  const faults = files.flatMap((file) => file.faults)
  if (faults.length > 0)
    throw new CliError(`${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was sent`, {
      faults,
    })
  if (files.every(({ entries }) => entries.length === 0))
    throw new CliError(`no resource in ${paths.join(', ')}`)
  return files
}

async function readNamed(path: string, cwd: string, asWritten: string): Promise<readonly FileState[]> {
  if ((await stat(path).catch(() => undefined)) === undefined) throw usageError(`${asWritten} does not exist`)
  return await readFolders([path], cwd)
}

/** All of it. Throws where it is too much. */
export async function readStdin(io: Io): Promise<string> {
  if (io.stdin.isTTY === true) io.err.write('reading from the terminal; end with Ctrl-D\n')
  const parts: Buffer[] = []
  let length = 0
  for await (const part of io.stdin) {
    const bytes = Buffer.from(part)
    length += bytes.length
    if (length > MAX_STDIN_BYTES) throw usageError(`more than ${MAX_STDIN_BYTES} bytes on standard input`)
    parts.push(bytes)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** Several files as one request, so that all of it is applied or nothing. */
export const inputsOf = (files: readonly FileState[]): readonly unknown[] =>
  files.flatMap(({ entries }) => entries.map(({ read }) => read.input))
