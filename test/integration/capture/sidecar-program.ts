/** One sidecar for a network namespace: reads an identity and a snapshot, and serves until its standard input ends. */
import { readFileSync } from 'node:fs'
import { trace } from '@opentelemetry/api'
import type { WorkloadIdentity } from '@weft/schemas/node/identity'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { indexSnapshot, type Snapshot } from '@weft/schemas/snapshot'
import { startInbound } from '../../../sidecar/src/inbound/index.ts'
import { originalDestination } from '../../../sidecar/src/listen/index.ts'
import { startOutbound } from '../../../sidecar/src/outbound/index.ts'

export interface SidecarSettings {
  readonly identity: WorkloadIdentity
  readonly snapshot: Snapshot
  readonly appPort: number
  readonly uid: number
}

const { identity, snapshot, appPort, uid } = JSON.parse(
  readFileSync(process.argv[2] ?? '', 'utf8'),
) as SidecarSettings
// Who runs it is what the rules tell its own traffic by.
process.setuid?.(uid)
const indexed = indexSnapshot(snapshot)
const log = createLog('sidecar')
log.level = 'silent'
const shared = {
  snapshots: { current: () => indexed, onChange: () => () => {} },
  identity: { current: () => identity, onRotate: () => () => {} },
  metrics: createMetrics(),
  log,
  tracer: trace.getTracer('test'),
  destinationOf: await originalDestination(),
}
await startOutbound({ ...shared, host: '127.0.0.1', port: 15_001 })
await startInbound({ ...shared, host: '0.0.0.0', port: 15_006, appPort })
process.stdout.write('ready\n')
process.stdin.on('end', () => process.exit(0)).resume()
