/**
 * Every read of a socket brings a buffer that lies outside of V8's heap, and V8 answers when such memory grows by marking the
 * whole heap: ten times a second where large bodies pass, on all cores, to find that they are dead. They die young, and collecting
 * the young generation frees them in half a millisecond. So that is asked for, by the bytes that were read.
 *
 * It needs `--expose-gc`, with which the image and `weft up` start the sidecar; without it bodies cost three times as much.
 */
import type { Duplex } from 'node:stream'

const BYTES_PER_COLLECTION = 16 * 1024 * 1024

const { gc } = globalThis
let readBytes = 0

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
  if (readBytes < BYTES_PER_COLLECTION) return
  readBytes = 0
  gc?.({ type: 'minor' })
}
