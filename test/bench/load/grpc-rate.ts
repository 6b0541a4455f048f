/** Unary gRPC at a fixed rate; a program of our own, because fortio cannot be told which authority to ask for. */
import { join } from 'node:path'
import type { Door } from '../contestant.ts'
import { runLoad } from '../pinned-process.ts'
import type { Latency } from './fortio.ts'

const PROGRAM = join(import.meta.dirname, '../programs/grpc-rate.ts')

export interface GrpcRateOptions {
  readonly door: Door
  readonly ratePerSecond: number
  readonly seconds: number
}

export async function grpcRate({ door, ratePerSecond, seconds }: GrpcRateOptions): Promise<Latency> {
  const words = [String(door.port), door.host ?? 'app', String(ratePerSecond), String(seconds)]
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM, ...words]
  const report = JSON.parse(await runLoad(command, seconds)) as {
    readonly delaysMs: readonly number[]
    readonly errors: number
  }
  const sorted = report.delaysMs.toSorted((one, other) => one - other)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99), requests: sorted.length, errors: report.errors }
}
