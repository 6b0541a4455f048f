/**
 * The connections to one address, of either protocol. Those with room are taken last in, first out, so that those which are not
 * needed grow old and go. A request that finds none waits for whichever comes first: a connection that is dialled, or room on
 * one that there is. HTTP/2 carries many requests on one connection, and another one is dialled when all of them are full.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import type { RequestHandler, RequestHead, ResponseHandler, Service } from './exchange.ts'
import { ClientConnection } from './http1/client-connection.ts'
import { Http2ClientConnection } from './http2/client-connection.ts'
import type { ConnectionOwner, PooledConnection } from './pooled-connection.ts'
import { WaitingExchange } from './waiting-exchange.ts'

/** Limits and counts of all pools of a service together. The limits may change while the pools live. */
export interface PoolBudget {
  maxConnections: number
  maxWaiting: number
  connectTimeoutMs: number
  connections: number
  waiting: number
}

export interface PoolOptions {
  /** For messages: `order-service at 127.0.0.1:15006`. */
  readonly name: string
  /** Opens a socket; calls exactly one of both, and not before it has returned. */
  readonly dial: (ready: (socket: Socket) => void, failed: (error: MeshError) => void) => Socket
  /** What is spoken on it; alpn: what was agreed in the TLS handshake. */
  readonly protocol: 'http1' | 'http2' | 'alpn'
  readonly budget: PoolBudget
  readonly idleTimeoutMs: number
}

/** Requests for which one dialled HTTP/2 connection is thought to be enough before it says so. */
const REQUESTS_PER_DIAL = 100

export class Pool implements Service, ConnectionOwner {
  readonly #options: PoolOptions
  /** Connections with room; among them some that have lost it, which are sorted out when they are met. */
  readonly #ready: PooledConnection[] = []
  readonly #all = new Set<PooledConnection>()
  /** Who waits, and whether it was sent before and not processed. */
  readonly #waiting = new Map<WaitingExchange, boolean>()
  readonly #dialling = new Set<Socket>()
  #requestsPerDial: number
  #isClosing = false
  #onEmpty: (() => void) | undefined

  constructor(options: PoolOptions) {
    this.#options = options
    this.#requestsPerDial = options.protocol === 'http1' ? 1 : REQUESTS_PER_DIAL
  }

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    const ready = this.#ready
    for (let at = ready.length - 1; at >= 0; at--) {
      const connection = ready[at] as PooledConnection
      const { capacity } = connection
      if (capacity <= 1) {
        connection.isReady = false
        ready.pop()
      }
      if (capacity > 0) return connection.call(head, response)
    }
    return this.#wait(head, response, false)
  }

  resend(head: RequestHead, response: ResponseHandler): RequestHandler {
    // Where one idle connection was dead the others of its age are suspect: the second attempt must not hit one of them.
    this.#dropIdle()
    return this.#wait(head, response, true)
  }

  /** Connections made so far are used up and not used again: the certificate was rotated. */
  retire(): void {
    for (const connection of [...this.#all]) connection.retire()
  }

  /** No new connections for no new requests; those in flight end in peace. Resolves when nothing is left. */
  close(): Promise<void> {
    this.#isClosing = true
    this.retire()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      this.#checkEmpty()
    })
  }

  /** Called about once a second. */
  dropExpired(now: number): void {
    const { idleTimeoutMs } = this.#options
    for (const connection of [...this.#all]) {
      connection.checkDeadline(now)
      const { isIdle, idleSince, idleLimitMs } = connection
      if (isIdle && now - idleSince >= Math.min(idleTimeoutMs, idleLimitMs)) connection.destroy()
    }
  }

  // From connections

  onAvailable(connection: PooledConnection): void {
    for (const [waiting, isRepeated] of this.#waiting) {
      if (connection.capacity === 0) return
      this.#noLongerWaits(waiting)
      waiting.attach(isRepeated ? again(connection) : connection)
    }
    if (connection.capacity === 0 || connection.isReady) return
    connection.isReady = true
    this.#ready.push(connection)
  }

  onClosed(connection: PooledConnection): void {
    if (!this.#all.delete(connection)) return
    this.#options.budget.connections--
    const at = this.#ready.indexOf(connection)
    if (at !== -1) this.#ready.splice(at, 1)
    // Its place is free: somebody may be waiting for one.
    this.#dialForWaiting()
    this.#checkEmpty()
  }

  // From waiting exchanges

  onWaitCancelled(waiting: WaitingExchange): void {
    this.#noLongerWaits(waiting)
    this.#checkEmpty()
  }

  #noLongerWaits(waiting: WaitingExchange): void {
    if (this.#waiting.delete(waiting)) this.#options.budget.waiting--
  }

  #wait(head: RequestHead, response: ResponseHandler, isRepeated: boolean): RequestHandler {
    const { budget, name } = this.#options
    if (budget.waiting >= budget.maxWaiting)
      throw new MeshError('overloaded', `${name}: expected at most ${budget.maxWaiting} waiting requests`)
    const isFull = budget.connections >= budget.maxConnections
    // Connections are counted for the service: with none here, nobody would ever give one back to this pool.
    if (isFull && this.#all.size + this.#dialling.size === 0)
      throw new MeshError('overloaded', `${name}: expected at most ${budget.maxConnections} connections`)
    const waiting = new WaitingExchange(this, head, response)
    this.#waiting.set(waiting, isRepeated)
    budget.waiting++
    this.#dialForWaiting()
    return waiting
  }

  #dialForWaiting(): void {
    const { budget } = this.#options
    while (
      this.#waiting.size > this.#dialling.size * this.#requestsPerDial &&
      budget.connections < budget.maxConnections
    )
      this.#dial()
  }

  #dial(): void {
    const budget = this.#options.budget
    budget.connections++
    let isSettled = false
    const settle = (): boolean => {
      if (isSettled) return false
      isSettled = true
      clearTimeout(timer)
      this.#dialling.delete(socket)
      return true
    }
    const failed = (error: MeshError): void => {
      if (!settle()) return
      budget.connections--
      socket.destroy()
      this.#failFirst(error)
      this.#checkEmpty()
    }
    const ready = (opened: Socket): void => {
      if (settle()) this.#onConnected(opened)
    }
    const socket = this.#options.dial(ready, failed)
    this.#dialling.add(socket)
    socket.once('close', () =>
      failed(new MeshError('connect_failed', `${this.#options.name}: closed at once`)),
    )
    const limit = budget.connectTimeoutMs
    const timer = setTimeout(
      () =>
        failed(new MeshError('connect_failed', `${this.#options.name}: no connection within ${limit} ms`)),
      limit,
    )
  }

  #onConnected(socket: Socket): void {
    const { protocol } = this.#options
    const isHttp2 =
      protocol === 'http2' ||
      (protocol === 'alpn' && socket instanceof TLSSocket && socket.alpnProtocol === 'h2')
    // An older peer: from now on each request is thought to need a connection of its own.
    this.#requestsPerDial = isHttp2 ? REQUESTS_PER_DIAL : 1
    const connection = isHttp2 ? new Http2ClientConnection(socket, this) : new ClientConnection(socket, this)
    this.#all.add(connection)
    if (this.#isClosing && this.#waiting.size === 0) {
      connection.destroy()
      return
    }
    this.onAvailable(connection)
    if (this.#isClosing) connection.retire()
    this.#dialForWaiting()
  }

  /** Those that this connection was dialled for. */
  #failFirst(error: MeshError): void {
    let left = this.#requestsPerDial
    for (const waiting of [...this.#waiting.keys()]) {
      if (left-- === 0) return
      this.#noLongerWaits(waiting)
      waiting.fail(error)
    }
  }

  #dropIdle(): void {
    for (const connection of [...this.#all]) if (connection.isIdle) connection.destroy()
  }

  #checkEmpty(): void {
    if (this.#onEmpty === undefined) return
    if (this.#waiting.size === 0) for (const socket of this.#dialling) socket.destroy()
    if (this.#all.size + this.#waiting.size + this.#dialling.size === 0) this.#onEmpty()
  }
}

const again = (connection: PooledConnection): Service => ({
  call: (head, response) => connection.callAgain(head, response),
})
