import type { RequestHandler, RequestHead, ResponseHandler, Service } from './exchange.ts'

/** A dialled connection of whatever protocol, as its pool sees it; called only where it has capacity. */
export interface PooledConnection extends Service {
  /** Requests that it takes now, beside those that it carries; 0: none, for now or for ever. */
  readonly capacity: number
  /** The pool has it among those with room: the pool's own note. */
  isReady: boolean
  /** It carries nothing. */
  readonly isIdle: boolean
  /** `performance.now()` when it became idle. */
  readonly idleSince: number
  /** What the server said of how long it keeps idle connections. */
  readonly idleLimitMs: number
  /** Calls with a request that was sent on another connection before, and not processed. */
  callAgain(head: RequestHead, response: ResponseHandler): RequestHandler
  /** Takes no more requests, and ends when it carries none: its certificate was replaced, or its endpoint is gone. */
  retire(): void
  destroy(): void
  checkDeadline(now: number): void
}

/** Who owns the connection: the pool. */
export interface ConnectionOwner {
  /** There is capacity where there was none. */
  onAvailable(connection: PooledConnection): void
  onClosed(connection: PooledConnection): void
  /** The request was not processed, or its connection was found dead, and it can be sent again. */
  resend(head: RequestHead, response: ResponseHandler): RequestHandler
}
