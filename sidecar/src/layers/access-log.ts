/** One line for each request at level debug. At any other level the layer is not there. */
import type { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import {
  type RequestHead,
  type ResponseHandler,
  type Service,
  WatchedResponse,
} from '../transport/exchange.ts'

export function accessLog(inner: Service, log: Log): Service {
  if (!log.isLevelEnabled('debug')) return inner
  return { call: (head, response) => inner.call(head, new LoggedResponse(response, head, log)) }
}

class LoggedResponse extends WatchedResponse {
  readonly #request: RequestHead
  readonly #log: Log

  constructor(next: ResponseHandler, request: RequestHead, log: Log) {
    super(next)
    this.#request = request
    this.#log = log
  }

  protected override ended(status: number, error: MeshError | undefined): void {
    const { method, target, authority, peer, notes } = this.#request
    const path = target.split('?', 1)[0] // a query may hold what no log should
    this.#log.debug(
      {
        method,
        authority,
        path,
        peer: peer.id?.uri,
        status,
        durationMs: performance.now() - notes.startedAt,
        traceparent: notes.traceparent,
        ...(error !== undefined && { code: error.row.id, reason: error.message }),
      },
      'request',
    )
  }
}
