/** Sends a request of our own to an endpoint, over its pool: the check goes the way that requests go. */
import { MeshError } from '@weft/schemas/error'
import { formatTraceparent, newSpanId, newTraceId } from '@weft/schemas/trace-context'
import {
  type Fields,
  newNotes,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
} from '../../transport/exchange.ts'
import { firstValue } from '../../transport/fields.ts'
import { isGrpcType } from '../../transport/grpc.ts'
import type { ProbeTarget } from './probe.ts'

export interface Question {
  readonly method: string
  readonly path: string
  readonly fields: Fields
  readonly body: Buffer
}

export interface HealthAnswer {
  readonly head: ResponseHead
  readonly body: Buffer
  readonly trailers: Fields | undefined
}

/** No health check needs more; the rest is not kept. */
const MAX_BODY_BYTES = 1_024

/** `done` with the answer, or with why there is none. Returns the function that gives up. */
export function ask(
  { endpoint, authority }: ProbeTarget,
  { method, path, fields, body }: Question,
  done: (answer: HealthAnswer | string) => void,
): () => void {
  const head: RequestHead = {
    method,
    target: path,
    authority,
    // Not recorded: nobody looks for the traces of a clock.
    fields: [...fields, 'user-agent', 'weft-health-check', 'traceparent', unsampled()],
    length: body.length,
    upgrade: undefined,
    isGrpc: isGrpcType(firstValue(fields, 'content-type') ?? ''),
    peer: { id: undefined, subject: { kind: 'anonymous' } },
    notes: newNotes(),
  }
  const response = new CollectedAnswer(done)
  try {
    const handler = endpoint.pool.call(head, response)
    if (body.length > 0) handler.data(body)
    handler.end(undefined)
    return () => handler.cancel(new MeshError('cancelled', 'the check was given up'))
  } catch (thrown) {
    const { message } = MeshError.from(thrown)
    queueMicrotask(() => done(message))
    return () => {}
  }
}

const unsampled = (): string =>
  formatTraceparent({ traceId: newTraceId(), spanId: newSpanId(), sampled: false })

class CollectedAnswer implements ResponseHandler {
  readonly #done: (answer: HealthAnswer | string) => void
  #head: ResponseHead | undefined
  #chunks: Buffer[] = []
  #bytes = 0

  constructor(done: (answer: HealthAnswer | string) => void) {
    this.#done = done
  }

  onInterim(): void {}
  onPause(): void {}
  onResume(): void {}

  onHead(head: ResponseHead): void {
    this.#head = head
  }

  onData(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes <= MAX_BODY_BYTES) this.#chunks.push(chunk)
  }

  onEnd(trailers: Fields | undefined): void {
    if (this.#head !== undefined)
      this.#done({ head: this.#head, body: Buffer.concat(this.#chunks), trailers })
  }

  onFail(error: MeshError): void {
    this.#done(error.message)
  }
}
