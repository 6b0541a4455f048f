/**
 * Every read of a socket brings a buffer that lies outside of V8's heap, and V8 answers when such memory grows by marking the
 * whole heap: ten times a second where large bodies pass, on all cores, to find that they are dead. They die young, and collecting
 * the young generation frees them in half a millisecond. So that is asked for, by the bytes that were read.
 *
 * What modules and the compiler left behind at the start, and a load when it has passed, is given back to the system once the
 * sidecar is idle: V8 by itself collects only when something is allocated, so that a quiet process keeps what it once had.
 *
 * It needs `--expose-gc`, with which the image and `weft up` start the sidecar; without it bodies cost three times as much.
 */
import type { Duplex } from 'node:stream'

const BYTES_PER_COLLECTION = 16 * 1024 * 1024

const IDLE_CHECK_MS = 10_000
/** Less than this between two checks is health checks and scrapes: tens of milliseconds of collection are noticed by nobody. */
const IDLE_BYTES = 64 * 1024

const { gc } = globalThis
let readBytes = 0
let readSinceCheck = 0

/** Hands on what a socket delivers, counted. It flows from now on, as with any `data` listener, unless it is paused. */
export function onRead(socket: Duplex, take: (chunk: Buffer) => void): void {
  socket.on('data', (chunk: Buffer) => {
    countRead(chunk.length)
    take(chunk)
  })
}

/** For reads of sockets that others listen to. */
export function countRead(bytes: number): void {
  readBytes += bytes
  readSinceCheck += bytes
  if (readBytes < BYTES_PER_COLLECTION) return
  readBytes = 0
  gc?.({ type: 'minor' })
}

/**
 * For reads that are copied at once, as the wire proxy does with frames that are larger than one: collected four times as often, because
 * nothing else of its work lasts. Measured: half of the CPU of a consumer; for bodies the same costs a fifth of the throughput.
 */
export const countCopiedRead = (bytes: number): void => countRead(4 * bytes)

/** Gives memory back whenever the process has become idle, once each time; it looks every `checkMs`. */
export function releaseWhenIdle(checkMs = IDLE_CHECK_MS): void {
  let isReleased = false
  const timer = setInterval(() => {
    const isIdle = readSinceCheck < IDLE_BYTES
    readSinceCheck = 0
    // The last resort of V8 also hands its free pages back.
    if (isIdle && !isReleased) gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    isReleased = isIdle
  }, checkMs)
  timer.unref()
}
