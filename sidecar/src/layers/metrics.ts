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
  const edges = new Edges(direction, metrics)
  const count = (head: RequestHead, status: number): void => {
    const { destination, error, startedAt } = head.notes
    const edge = edges.between(sourceOf(head), destination)
    edge.count(status, error)
    edge.durations.observe((performance.now() - startedAt) / 1000)
  }
  return { call: (head, response) => inner.call(head, new CountedResponse(response, head, count)) }
}

/** Finds the cells of a request without making text of its labels: most requests go where the one before went. */
class Edges {
  readonly #direction: Direction
  readonly #metrics: Metrics
  readonly #byDestination = new Map<string, Map<string, Edge>>()
  #last: Edge | undefined

  constructor(direction: Direction, metrics: Metrics) {
    this.#direction = direction
    this.#metrics = metrics
  }

  between(source: string, destination: string): Edge {
    const last = this.#last
    if (last !== undefined && last.source === source && last.destination === destination) return last
    let bySource = this.#byDestination.get(destination)
    if (bySource === undefined) {
      bySource = new Map()
      this.#byDestination.set(destination, bySource)
    }
    let edge = bySource.get(source)
    if (edge === undefined) {
      edge = new Edge(this.#metrics, { direction: this.#direction, source, destination })
      bySource.set(source, edge)
    }
    this.#last = edge
    return edge
  }
}

interface EdgeLabels {
  readonly direction: Direction
  readonly source: string
  readonly destination: string
}

type Requests = ReturnType<typeof requestsOf>
const requestsOf = (metrics: Metrics) => metrics.counter('weft_http_requests_total')
const durationsOf = (metrics: Metrics) => metrics.histogram('weft_http_request_duration_seconds')

/** All that is counted of one caller and one callee. */
class Edge {
  readonly source: string
  readonly destination: string
  readonly durations: ReturnType<ReturnType<typeof durationsOf>['labels']>
  readonly #labels: EdgeLabels
  readonly #requests: Requests
  /** Answers of the other side, by status. */
  readonly #answers: ReturnType<Requests['labels']>[] = []

  constructor(metrics: Metrics, labels: EdgeLabels) {
    this.source = labels.source
    this.destination = labels.destination
    this.#labels = labels
    this.#requests = requestsOf(metrics)
    this.durations = durationsOf(metrics).labels(labels)
  }

  count(status: number, error: string): void {
    if (error !== '') {
      this.#requests.inc({ ...this.#labels, status: String(status), error })
      return
    }
    let cell = this.#answers[status]
    if (cell === undefined) {
      cell = this.#requests.labels({ ...this.#labels, status: String(status), error: '-' })
      this.#answers[status] = cell
    }
    cell.inc()
  }
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
