import type { Backend, Entry, Running } from '../contestant.ts'

/** One contestant in one round. */
export interface Figures {
  readonly perSecond: number
  /** CPU of the contestant for one request (record, event), all of its processes. */
  readonly cpuMicros: number
  /** At a fixed rate. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** All processes of the contestant, after the load. */
  readonly rssMiB: number
  /** 1 MiB answers. */
  readonly mibPerSecond?: number
  readonly errors: number
  /** CPU of other programs in percent of a core while it was measured. */
  readonly foreignPercent: number
}

export interface Suite {
  /** The load, for a reader. */
  readonly what: string
  /** Starts what is behind the contestants. */
  readonly startBackend: () => Promise<Backend>
  readonly entries: readonly Entry[]
  /** Whom the ratios are against. */
  readonly baseline: string
  /** Throws Missing where the suite cannot run at all. */
  tools(): Promise<void>
  measure(running: Running, seconds: number): Promise<Figures>
}
