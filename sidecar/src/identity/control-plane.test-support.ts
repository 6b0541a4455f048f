/**
 * A real control plane for the tests of its clients. The one place where sidecar code sees control-plane code: both
 * ends of the protocol are tested against each other, and nothing that runs in production imports this.
 */
import { EventEmitter, once } from 'node:events'
import { createLog, type Log } from '@weft/schemas/node/log'
import { createMetrics, type Metrics } from '@weft/schemas/node/metrics'
import type { TestControlPlane } from '../../../control-plane/src/serve/grpc/grpc.test-support.ts'
import { type RunningIdentity, startIdentity } from './index.ts'

export { openAuthority, temporaryFolder } from '../../../control-plane/src/serve/ca/ca.test-support.ts'
export {
  startControlPlane,
  type TestControlPlane,
} from '../../../control-plane/src/serve/grpc/grpc.test-support.ts'

export const ORDERS_URI = 'spiffe://weft.local/ns/default/sa/order-service'

export const newToken = async (plane: TestControlPlane): Promise<string> =>
  (await plane.tokens.create({ namespace: 'default', serviceAccount: 'order-service' })).token

/** Joins this control plane; renewal ends with the scope. */
export async function joined(
  plane: TestControlPlane,
  metrics: Metrics = createMetrics(),
): Promise<RunningIdentity & Disposable> {
  const { log } = listeningLog()
  const identity = await startIdentity({
    controlPlane: plane.address,
    joinToken: await newToken(plane),
    log,
    metrics,
  })
  return Object.assign(identity, { [Symbol.dispose]: () => identity.close() })
}

/** A log that writes nothing, and lets a test wait for a line. */
export function listeningLog(): {
  readonly log: Log
  line(message: RegExp): Promise<Record<string, unknown>>
} {
  const lines = new EventEmitter()
  const seen: [fields: Record<string, unknown>, message: string][] = []
  const log = createLog('test')
  log.level = 'silent'
  for (const level of ['info', 'warn', 'error'] as const)
    log[level] = (fields: unknown, message?: unknown) => {
      seen.push([fields as Record<string, unknown>, String(message)])
      lines.emit('line')
    }
  return {
    log,
    line: async (message) => {
      for (let at = 0; ; at++) {
        while (seen.length <= at) await once(lines, 'line')
        const [fields, text] = seen[at] ?? [{}, '']
        if (message.test(text)) return fields
      }
    },
  }
}
