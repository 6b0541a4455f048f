/** One process between client and backend, alone on its core. */
import type { Running } from '../contestant.ts'
import { SIDECAR_CORE } from '../cores.ts'
import { startProcess } from '../pinned-process.ts'

export async function startSingle(command: readonly string[], port: number): Promise<Running> {
  const process = await startProcess(command, { core: SIDECAR_CORE, port })
  return {
    door: { port },
    pids: [process.pid],
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  }
}
