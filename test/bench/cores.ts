/** Who runs where: what is measured has a core for itself, and everything that serves the measurement shares the other one. */
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Load generator, app, Kafka, control plane. */
export const APP_CORE = 0
/** Both sidecars of a pair. */
export const SIDECAR_CORE = 1

/** Undefined where processes can be pinned; else why not. */
export async function whyUnpinned(): Promise<string | undefined> {
  if (availableParallelism() < 2) return 'this machine has one core'
  return run('taskset', ['-V']).then(
    () => undefined,
    () => 'there is no taskset (Debian: util-linux)',
  )
}

const isUnpinned = (await whyUnpinned()) !== undefined

/** The command that runs on that core, where cores can be chosen. */
export function onCore(core: number, command: readonly string[]): readonly [string, ...string[]] {
  const [first = '', ...rest] = isUnpinned ? command : ['taskset', '-c', String(core), ...command]
  return [first, ...rest]
}

/** Moves a running process with all of its threads. */
export async function moveToCore(core: number, pid: number): Promise<void> {
  if (!isUnpinned) await run('taskset', ['-a', '-c', '-p', String(core), String(pid)])
}
