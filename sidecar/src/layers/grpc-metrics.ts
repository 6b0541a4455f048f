/** Counts gRPC calls by the status that they ended with: over HTTP nearly all of them are a 200. */
import type { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  ForwardingResponse,
  type Progress,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../transport/exchange.ts'
import { grpcStatusOf } from './grpc-status.ts'
import type { MetricsLayerOptions } from './metrics.ts'

export function countCalls(inner: Service, { direction, metrics, sourceOf }: MetricsLayerOptions): Service {
  const calls = metrics.counter('weft_grpc_calls_total')
  // Most calls go, and end, like the one before: its cell is found without making text of its labels.
  let last: Counted | undefined
  const count = (head: RequestHead, grpcStatus: string): void => {
    const source = sourceOf(head)
    const { destination } = head.notes
    if (last?.source !== source || last.destination !== destination || last.grpcStatus !== grpcStatus) {
      const cell = calls.labels({ direction, source, destination, grpc_status: grpcStatus })
      last = { source, destination, grpcStatus, cell }
    }
    last.cell.inc()
  }
  return {
    call: (head, response) =>
      inner.call(head, head.isGrpc ? new CountedCall(response, (status) => count(head, status)) : response),
  }
}

interface Counted {
  readonly source: string
  readonly destination: string
  readonly grpcStatus: string
  readonly cell: { inc(): void }
}

class CountedCall extends ForwardingResponse {
  readonly #count: (grpcStatus: string) => void
  #head: Fields | undefined

  constructor(next: ResponseHandler, count: (grpcStatus: string) => void) {
    super(next)
    this.#count = count
  }

  override onHead(head: ResponseHead): void {
    this.#head = head.fields
    this.next.onHead(head)
  }

  override onEnd(trailers: Fields | undefined): void {
    this.#count(String(grpcStatusOf(this.#head, trailers) ?? '-'))
    this.next.onEnd(trailers)
  }

  override onFail(error: MeshError, progress: Progress): void {
    this.#count(String(error.row.grpc))
    this.next.onFail(error, progress)
  }
}
