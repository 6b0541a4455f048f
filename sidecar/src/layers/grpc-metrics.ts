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
  const count = (head: RequestHead, grpcStatus: string): void =>
    calls.inc({
      direction,
      source: sourceOf(head),
      destination: head.notes.destination,
      grpc_status: grpcStatus,
    })
  return {
    call: (head, response) =>
      inner.call(head, head.isGrpc ? new CountedCall(response, (status) => count(head, status)) : response),
  }
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
