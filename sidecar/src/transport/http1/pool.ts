/**
 * The connections to one address. Idle ones are taken last in, first out, so that those which are not needed grow old and go.
 * A request that finds none waits for whichever comes first: the connection that is dialled for it, or one that others give back.
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { RequestHandler, RequestHead, ResponseHandler, Service } from '../exchange.ts'
import { WaitingExchange } from '../waiting-exchange.ts'
import { ClientConnection, type ConnectionOwner } from './client-connection.ts'

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
  readonly budget: PoolBudget
  readonly idleTimeoutMs: number
}

export class Pool implements Service, ConnectionOwner {
  readonly #options: PoolOptions
  readonly #idle: ClientConnection[] = []
  readonly #all = new Set<ClientConnection>()
  readonly #waiting = new Set<WaitingExchange>()
  readonly #dialling = new Set<Socket>()
  #isClosing = false
  #onEmpty: (() => void) | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    const connection = this.#idle.pop()
    return connection === undefined ? this.#wait(head, response) : connection.call(head, response)
  }

  resend(head: RequestHead, response: ResponseHandler): RequestHandler {
    // Where one idle connection was dead the others of its age are suspect: the second attempt must not hit one of them.
    this.#dropIdle()
    return this.#wait(head, response)
  }

  /** Connections made so far are used up and not used again: the certificate was rotated. */
  retire(): void {
    for (const connection of this.#all) connection.isRetired = true
    this.#dropIdle()
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
    const expired = this.#idle.filter(
      ({ idleSince, idleLimitMs }) => now - idleSince >= Math.min(idleTimeoutMs, idleLimitMs),
    )
    for (const connection of expired) connection.destroy()
  }

  // From connections

  onIdle(connection: ClientConnection): void {
    for (const waiting of this.#waiting) {
      this.#noLongerWaits(waiting)
      waiting.attach(connection)
      return
    }
    connection.idleSince = performance.now()
    this.#idle.push(connection)
  }

  onClosed(connection: ClientConnection): void {
    if (!this.#all.delete(connection)) return
    this.#options.budget.connections--
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    // Its place is free: somebody may be waiting for one.
    if (this.#waiting.size > this.#dialling.size) this.#dial()
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

  #wait(head: RequestHead, response: ResponseHandler): RequestHandler {
    const { budget, name } = this.#options
    if (budget.waiting >= budget.maxWaiting)
      throw new MeshError('overloaded', `${name}: expected at most ${budget.maxWaiting} waiting requests`)
    const isFull = budget.connections >= budget.maxConnections
    // Connections are counted for the service: with none here, nobody would ever give one back to this pool.
    if (isFull && this.#all.size + this.#dialling.size === 0)
      throw new MeshError('overloaded', `${name}: expected at most ${budget.maxConnections} connections`)
    const waiting = new WaitingExchange(this, head, response)
    this.#waiting.add(waiting)
    budget.waiting++
    if (this.#waiting.size > this.#dialling.size) this.#dial()
    return waiting
  }

  #dial(): void {
    const budget = this.#options.budget
    if (budget.connections >= budget.maxConnections) return
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
    const connection = new ClientConnection(socket, this)
    this.#all.add(connection)
    if (this.#isClosing && this.#waiting.size === 0) connection.destroy()
    else {
      connection.isRetired = this.#isClosing
      this.onIdle(connection)
    }
  }

  #failFirst(error: MeshError): void {
    for (const waiting of this.#waiting) {
      this.#noLongerWaits(waiting)
      waiting.fail(error)
      return
    }
  }

  #dropIdle(): void {
    for (const connection of [...this.#idle]) connection.destroy()
  }

  #checkEmpty(): void {
    if (this.#onEmpty === undefined) return
    if (this.#waiting.size === 0) for (const socket of this.#dialling) socket.destroy()
    if (this.#all.size + this.#waiting.size + this.#dialling.size === 0) this.#onEmpty()
  }
}
