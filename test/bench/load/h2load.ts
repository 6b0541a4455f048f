/** h2load: gRPC calls in a closed loop, as fast as the other side answers. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Door } from '../contestant.ts'
import { runLoad } from '../pinned-process.ts'
import { echoMessage } from './echo-message.ts'
import type { Throughput } from './wrk.ts'

const CONNECTIONS = 4

export interface H2loadOptions {
  readonly door: Door
  /** Calls that are under way at once, over all connections. */
  readonly streams: number
  readonly seconds: number
}

export async function h2load({ door, streams, seconds }: H2loadOptions): Promise<Throughput> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-bench-'))
  const file = join(folder, 'message')
  try {
    await writeFile(file, framed(echoMessage()))
    const text = await runLoad(
      [
        ...['h2load', '-t1', `-c${CONNECTIONS}`, `-m${streams / CONNECTIONS}`, '-D', String(seconds)],
        ...['-H', 'content-type: application/grpc', '-H', 'te: trailers', '-d', file],
        ...(door.host === undefined ? [] : ['-H', `:authority: ${door.host}`]),
        `http://127.0.0.1:${door.port}/weft.bench.Echo/Say`,
      ],
      seconds,
    )
    return readReport(text)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** gRPC over HTTP/2, Length-Prefixed-Message: not compressed, four bytes of length. */
function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(message.length, 1)
  return Buffer.concat([prefix, message])
}

function readReport(text: string): Throughput {
  const perSecond = Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(text)?.[1])
  const counts = /requests: (\d+) total.*?(\d+) succeeded, (\d+) failed/.exec(text)
  if (Number.isNaN(perSecond) || counts === null) throw new Error(`expected a report of h2load:\n${text}`)
  return { perSecond, requests: Number(counts[2]), errors: Number(counts[3]) }
}
