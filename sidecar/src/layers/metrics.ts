/** Counts requests and their times by who called whom. */
import type { MeshError } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'
import {
  type RequestHead,
  type ResponseHandler,
  type Service,
  WatchedResponse,
} from '../transport/exchange.ts'

type Direction = 'inbound' | 'outbound'

export interface MetricsLayerOptions {
  readonly direction: Direction
  readonly metrics: Metrics
  /** Service account of the caller. */
  readonly sourceOf: (head: RequestHead) => string
}

export function countRequests(
  inner: Service,
  { direction, metrics, sourceOf }: MetricsLayerOptions,
): Service {
  const counter = metrics.counter('weft_http_requests_total')
  const histogram = metrics.histogram('weft_http_request_duration_seconds')
  const count = (head: RequestHead, status: number): void => {
    const labels = { direction, source: sourceOf(head), destination: head.notes.destination }
    counter.inc({ ...labels, status: String(status), error: head.notes.error || '-' })
    histogram.observe(labels, (performance.now() - head.notes.startedAt) / 1000)
  }
  return { call: (head, response) => inner.call(head, new CountedResponse(response, head, count)) }
}

class CountedResponse extends WatchedResponse {
  readonly #request: RequestHead
  readonly #count: (head: RequestHead, status: number) => void

  constructor(
    next: ResponseHandler,
    request: RequestHead,
    count: (head: RequestHead, status: number) => void,
  ) {
    super(next)
    this.#request = request
    this.#count = count
  }

  protected override ended(status: number, error: MeshError | undefined): void {
    this.#count(this.#request, error?.row.http ?? status)
  }
}
