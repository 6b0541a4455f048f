/** A pair of processes with a hop between: the way every peer is set up. */
import { rm } from 'node:fs/promises'
import { choosePort } from '@weft/control-plane/cli/free-port'
import type { Backend, Running } from '../contestant.ts'
import { SIDECAR_CORE } from '../cores.ts'
import { startProcess } from '../pinned-process.ts'
import { peerCertificates } from '../tools/certificates.ts'

export interface Side {
  readonly role: 'in' | 'out'
  readonly port: number
  readonly upstreamPort: number
  /** Folder of certificates; see peerCertificates. */
  readonly pki: string
}

/** `commandOf` makes the command of one side; the inbound side is started first. */
export async function startPair(
  app: Backend,
  commandOf: (side: Side) => Promise<readonly string[]>,
): Promise<Running> {
  const pki = await peerCertificates()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rm(pki, { recursive: true }))
  const inPort = await choosePort()
  const outPort = await choosePort()
  const sides: readonly Side[] = [
    { role: 'in', port: inPort, upstreamPort: app.port, pki },
    { role: 'out', port: outPort, upstreamPort: inPort, pki },
  ]
  const pids: number[] = []
  for (const side of sides) {
    const process = await startProcess(await commandOf(side), { core: SIDECAR_CORE, port: side.port })
    stack.use(process)
    pids.push(process.pid)
  }
  const running = stack.move()
  return { door: { port: outPort }, pids, [Symbol.asyncDispose]: () => running.disposeAsync() }
}
