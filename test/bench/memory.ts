/**
 * Memory of one sidecar: fresh, with 1,000 idle connections, and over a soak. `npm run bench:memory -- [--minutes 30]`.
 * The soak is a steady load; what it left in the heap is collected as time goes by, so the second half is compared with the first.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { rssMiB } from './accounting.ts'
import type { Door } from './contestant.ts'
import { wrk } from './load/wrk.ts'
import { weft } from './peers/weft.ts'
import { median } from './summary.ts'

const APP = join(import.meta.dirname, 'programs/http-app.ts')
const IDLE_CONNECTIONS = 1_000
const SOAK_CONNECTIONS = 32
/** In this time an idle sidecar gives back what it does not need (sidecar/src/transport/read-memory.ts). */
const REST_MS = 22_000
const SLICE_SECONDS = 10
const DEFAULT_MINUTES = 30
/** More than this between the halves of a soak is growth and not the collector's mood. */
const MAX_GROWTH = 1.1

const { values } = parseArgs({ options: { minutes: { type: 'string' } } })
const minutes = Number(values.minutes ?? DEFAULT_MINUTES)
if (!(minutes > 0)) throw new Error(`--minutes: expected a number above 0; ${values.minutes} came`)

const say = (text: string): void => void process.stdout.write(`${text}\n`)

const contestant = await weft(APP, 'http')()
await using running = await contestant.start({ port: 0, async [Symbol.asyncDispose]() {} })
// The first is the caller's: the one that holds the idle connections.
const [caller = 0] = running.pids
say(`fresh: ${rssMiB([caller]).toFixed(0)} MiB`)

const idle = await openIdle(running.door)
say(`with ${IDLE_CONNECTIONS} idle connections, each used once: ${rssMiB([caller]).toFixed(0)} MiB`)
await sleep(REST_MS)
say(`the same, ${REST_MS / 1000} s later: ${rssMiB([caller]).toFixed(0)} MiB`)
for (const socket of idle) socket.destroy()

const slices = Math.max(2, Math.round((minutes * 60) / SLICE_SECONDS))
const sizes: number[] = []
for (let slice = 0; slice < slices; slice++) {
  const { errors, perSecond } = await wrk({
    door: running.door,
    path: '/x',
    connections: SOAK_CONNECTIONS,
    seconds: SLICE_SECONDS,
  })
  sizes.push(rssMiB(running.pids))
  say(
    `${(slice + 1) * SLICE_SECONDS} s: ${sizes.at(-1)?.toFixed(0)} MiB both, ${perSecond.toFixed(0)}/s, ${errors} errors`,
  )
}
const half = slices >> 1
const [first, second] = [median(sizes.slice(0, half)), median(sizes.slice(half))]
const hasGrown = second > first * MAX_GROWTH
say(
  `first half ${first.toFixed(0)} MiB, second half ${second.toFixed(0)} MiB: ${hasGrown ? 'GROWS' : 'steady'}`,
)
process.exitCode = hasGrown ? 1 : 0

/** Connections that were used once: one that never was holds next to nothing. */
async function openIdle({ port, host }: Door): Promise<readonly Socket[]> {
  const sockets: Socket[] = []
  for (let opened = 0; opened < IDLE_CONNECTIONS; opened++) {
    const socket = connect(port, '127.0.0.1')
    socket.write(`GET /x HTTP/1.1\r\nhost: ${host}\r\n\r\n`)
    await once(socket, 'data')
    sockets.push(socket)
  }
  return sockets
}
