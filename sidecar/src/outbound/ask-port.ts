/** Opens an opaque connection to one endpoint: mTLS, then the handshake of transport/tcp/handshake.ts. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import { readAnswer, requestBytes, TCP_ALPN } from '../transport/tcp/handshake.ts'
import type { Dial } from './dial.ts'

export interface AskPortOptions {
  readonly dial: Dial
  /** For messages: `order-db at 10.0.0.7:15006`. */
  readonly name: string
  /** Port of the service. */
  readonly port: number
  /** For all of it, until the app is reached. */
  readonly timeoutMs: number
}

/** Calls `done` once: with a socket that leads to the app, paused, or with why there is none. Returns what gives it up. */
export function askPort(options: AskPortOptions, done: (result: Socket | MeshError) => void): () => void {
  const { dial, name, port, timeoutMs } = options
  let isSettled = false
  const settle = (result: Socket | MeshError | undefined): void => {
    if (isSettled) return
    isSettled = true
    clearTimeout(timer)
    if (!(result instanceof TLSSocket)) socket.destroy()
    if (result !== undefined) done(result)
  }
  const fail = (reason: string): void => settle(new MeshError('connect_failed', `${name}: ${reason}`))
  const ready = (opened: Socket): void => {
    if (opened instanceof TLSSocket && opened.alpnProtocol === TCP_ALPN) ask(opened, port, settle)
    else fail('its sidecar does not know opaque TCP')
  }
  const socket = dial(ready, settle)
  socket.on('error', () => {}) // 'close' follows, and says enough
  socket.once('close', () => fail('closed at once'))
  const timer = setTimeout(() => fail(`no connection within ${timeoutMs} ms`), timeoutMs)
  return () => settle(undefined)
}

function ask(socket: Socket, port: number, settle: (result: Socket | MeshError) => void): void {
  let came = Buffer.alloc(0)
  const look = (isEnded: boolean): void => {
    const answer = readAnswer(came, isEnded)
    if (answer === undefined) return
    socket.off('data', onData).off('end', onEnd).pause()
    if (came.length > 1 && answer === 'accepted') socket.unshift(came.subarray(1))
    settle(answer === 'accepted' ? socket : answer)
  }
  const onData = (chunk: Buffer): void => {
    came = Buffer.concat([came, chunk])
    look(false)
  }
  const onEnd = (): void => look(true)
  socket.on('data', onData).on('end', onEnd)
  socket.write(requestBytes(port))
}
