/** Unary gRPC through a pair: throughput with 32 calls under way, delay at a fixed rate. */
import { join } from 'node:path'
import { measured } from '../accounting.ts'
import type { Entry, Running } from '../contestant.ts'
import { grpcRate } from '../load/grpc-rate.ts'
import { h2load } from '../load/h2load.ts'
import { direct } from '../peers/direct.ts'
import { envoyGrpc } from '../peers/envoy.ts'
import { weft } from '../peers/weft.ts'
import { h2loadProgram } from '../tools/index.ts'
import { startApp } from './backend.ts'
import type { Figures, Suite } from './suite.ts'

const APP = join(import.meta.dirname, '../programs/grpc-echo.ts')
const STREAMS = 32
const WARM_UP_SECONDS = 2
const RATE_PER_SECOND = 1_000

const entries: readonly Entry[] = [direct, envoyGrpc, weft(APP, 'grpc')]

export const grpc: Suite = {
  what: 'Unary calls that are answered with their own 1 KiB, 32 under way over 4 connections; delays at 1,000 calls/s',
  startBackend: () => startApp(APP),
  entries,
  baseline: 'envoy',
  async tools() {
    h2loadProgram()
  },
  async measure({ door, pids }: Running, seconds: number): Promise<Figures> {
    const load = { door, streams: STREAMS }
    await h2load({ ...load, seconds: WARM_UP_SECONDS })
    const throughput = await measured(pids, () => h2load({ ...load, seconds }))
    const delay = await measured(pids, () => grpcRate({ door, ratePerSecond: RATE_PER_SECOND, seconds }))
    return {
      perSecond: throughput.perSecond,
      cpuMicros: throughput.cpuMicros,
      p50Ms: delay.p50Ms,
      p99Ms: delay.p99Ms,
      rssMiB: delay.rssMiB,
      errors: throughput.errors + delay.errors,
      foreignPercent: Math.max(throughput.foreignPercent, delay.foreignPercent),
    }
  },
}
