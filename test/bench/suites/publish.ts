/** HTTP in, Kafka out: an event is answered when all replicas have it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measured } from '../accounting.ts'
import type { Running } from '../contestant.ts'
import { fortio } from '../load/fortio.ts'
import { wrk } from '../load/wrk.ts'
import { nodePublish } from '../peers/node-publish.ts'
import { weftEvents } from '../peers/weft.ts'
import { fortioProgram, wrkProgram } from '../tools/index.ts'
import { startKafka, TOPIC } from './backend.ts'
import type { Figures, Suite } from './suite.ts'

const CONNECTIONS = 32
const WARM_UP_SECONDS = 2
const RATE_PER_SECOND = 500
const EVENT_BYTES = 1024
const CONTENT_TYPE = 'application/octet-stream'

/** The same path for all: the peer answers any, Weft's is its API. */
const PATH = `/v1/topics/${TOPIC}/events`

export const publish: Suite = {
  what: 'Events of 1 KiB, acks=all before the answer, 32 connections; delays at 500 events/s',
  startBackend: startKafka,
  entries: [nodePublish, weftEvents],
  baseline: 'node-pub',
  async tools() {
    wrkProgram()
    await fortioProgram()
  },
  async measure({ door, pids }: Running, seconds: number): Promise<Figures> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-bench-'))
    try {
      const script = join(folder, 'post.lua')
      const payload = join(folder, 'event')
      await writeFile(script, POST)
      await writeFile(payload, 'x'.repeat(EVENT_BYTES))
      const load = { door, path: PATH, connections: CONNECTIONS }
      await wrk({ ...load, script, seconds: WARM_UP_SECONDS })
      const throughput = await measured(pids, () => wrk({ ...load, script, seconds }))
      const program = await fortioProgram()
      const body = { payload, contentType: CONTENT_TYPE }
      const delay = await measured(pids, () =>
        fortio({ ...load, program, body, ratePerSecond: RATE_PER_SECOND, seconds }),
      )
      return {
        perSecond: throughput.perSecond,
        cpuMicros: throughput.cpuMicros,
        p50Ms: delay.p50Ms,
        p99Ms: delay.p99Ms,
        rssMiB: delay.rssMiB,
        errors: throughput.errors + delay.errors,
        foreignPercent: Math.max(throughput.foreignPercent, delay.foreignPercent),
      }
    } finally {
      await rm(folder, { recursive: true })
    }
  },
}

const POST = `wrk.method = "POST"
wrk.headers["content-type"] = "${CONTENT_TYPE}"
wrk.body = string.rep("x", ${EVENT_BYTES})
`
