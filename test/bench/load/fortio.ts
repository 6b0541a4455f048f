/** fortio: open loop at a fixed rate, so that a slow answer does not slow the questions. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Door } from '../contestant.ts'
import { runLoad } from '../pinned-process.ts'

export interface FortioOptions {
  /** Path of the program; see tools/fortio.ts. */
  readonly program: string
  readonly door: Door
  readonly path: string
  readonly connections: number
  readonly ratePerSecond: number
  readonly seconds: number
  /** Makes it a POST: a file, and what it is. */
  readonly body?: { readonly payload: string; readonly contentType: string }
}

export interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly requests: number
  readonly errors: number
}

interface Report {
  readonly DurationHistogram: {
    readonly Count: number
    readonly Percentiles: readonly { readonly Percentile: number; readonly Value: number }[]
  }
  readonly RetCodes: Readonly<Record<string, number>>
}

export async function fortio(options: FortioOptions): Promise<Latency> {
  const { program, door, path, connections, ratePerSecond, seconds, body } = options
  const folder = await mkdtemp(join(tmpdir(), 'weft-bench-'))
  const file = join(folder, 'report.json')
  try {
    await runLoad(
      [
        ...[program, 'load', '-quiet', '-json', file, '-uniform', '-keepalive'],
        ...['-qps', String(ratePerSecond), '-c', String(connections), '-t', `${seconds}s`],
        // Resolution of the histogram in seconds, and what is asked of it.
        ...['-r', '0.00001', '-p', '50,99'],
        ...(door.host === undefined ? [] : ['-H', `Host: ${door.host}`]),
        ...(body === undefined ? [] : ['-payload-file', body.payload, '-content-type', body.contentType]),
        `http://127.0.0.1:${door.port}${path}`,
      ],
      seconds,
    )
    return latencyOf(JSON.parse(await readFile(file, 'utf8')) as Report)
  } finally {
    await rm(folder, { recursive: true })
  }
}

const GOOD_CODES = ['200', '201', '202', '204']

function latencyOf({ DurationHistogram: histogram, RetCodes: codes }: Report): Latency {
  const percentileMs = (wanted: number): number =>
    1000 * (histogram.Percentiles.find(({ Percentile }) => Percentile === wanted)?.Value ?? Number.NaN)
  const good = GOOD_CODES.reduce((total, code) => total + (codes[code] ?? 0), 0)
  return {
    p50Ms: percentileMs(50),
    p99Ms: percentileMs(99),
    requests: histogram.Count,
    errors: histogram.Count - good,
  }
}
