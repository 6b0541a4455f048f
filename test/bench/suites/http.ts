/** HTTP/1.1 through a pair: throughput with 32 connections, delay at a fixed rate, and large bodies. */
import { join } from 'node:path'
import { measured } from '../accounting.ts'
import type { Entry, Running } from '../contestant.ts'
import { fortio } from '../load/fortio.ts'
import { wrk } from '../load/wrk.ts'
import { direct } from '../peers/direct.ts'
import { envoyH1Hop, envoyH2Hop } from '../peers/envoy.ts'
import { nodeFastify } from '../peers/node-fastify.ts'
import { weft } from '../peers/weft.ts'
import { fortioProgram, wrkProgram } from '../tools/index.ts'
import { startApp } from './backend.ts'
import type { Figures, Suite } from './suite.ts'

const APP = join(import.meta.dirname, '../programs/http-app.ts')
const CONNECTIONS = 32
/** One large answer fills what a connection has in buffers many times over: few are enough. */
const LARGE_CONNECTIONS = 8
/** A sidecar runs for weeks: what V8 compiles in the first seconds is not what a request costs. The same for every contestant. */
const WARM_UP_SECONDS = 5
const LARGE_WARM_UP_SECONDS = 2
const RATE_PER_SECOND = 1_000

const entries: readonly Entry[] = [direct, envoyH2Hop, envoyH1Hop, nodeFastify, weft(APP, 'http')]

export const http: Suite = {
  what: '1 KiB answers over 32 connections, then 1 MiB answers over 8; delays at 1,000 requests/s',
  startBackend: () => startApp(APP),
  entries,
  baseline: 'envoy-h2hop',
  async tools() {
    wrkProgram()
    await fortioProgram()
  },
  async measure({ door, pids }: Running, seconds: number): Promise<Figures> {
    const small = { door, path: '/x', connections: CONNECTIONS }
    const large = { door, path: '/mib', connections: LARGE_CONNECTIONS }
    await wrk({ ...small, seconds: WARM_UP_SECONDS })
    const throughput = await measured(pids, () => wrk({ ...small, seconds }))
    const program = await fortioProgram()
    const delay = await measured(pids, () =>
      fortio({ ...small, program, ratePerSecond: RATE_PER_SECOND, seconds }),
    )
    await wrk({ ...large, seconds: LARGE_WARM_UP_SECONDS })
    const bodies = await measured(pids, () => wrk({ ...large, seconds }))
    return {
      perSecond: throughput.perSecond,
      cpuMicros: throughput.cpuMicros,
      p50Ms: delay.p50Ms,
      p99Ms: delay.p99Ms,
      rssMiB: bodies.rssMiB,
      mibPerSecond: bodies.perSecond,
      errors: throughput.errors + delay.errors + bodies.errors,
      foreignPercent: Math.max(throughput.foreignPercent, delay.foreignPercent, bodies.foreignPercent),
    }
  },
}
