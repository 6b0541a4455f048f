/** Refuses bodies that are larger than a gateway lets in: at once where their length is said, else when the limit is reached. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  ForwardingResponse,
  type RequestHandler,
  type ResponseHandler,
  type Service,
  UNKNOWN_LENGTH,
} from '../transport/exchange.ts'

export function limitBody(inner: Service, maxBytes: number | undefined): Service {
  if (maxBytes === undefined) return inner
  return {
    call(head, response) {
      if (head.length > maxBytes) throw tooLarge(maxBytes)
      // What goes through a tunnel is no body.
      if (head.length !== UNKNOWN_LENGTH || head.upgrade !== undefined) return inner.call(head, response)
      const call = new LimitedCall(response, maxBytes)
      call.handler = inner.call(head, call)
      return call
    },
  }
}

const tooLarge = (maxBytes: number): MeshError =>
  new MeshError('payload_too_large', `expected a body of at most ${maxBytes} bytes`)

class LimitedCall extends ForwardingResponse implements RequestHandler {
  readonly #maxBytes: number
  #bytes = 0
  handler: RequestHandler | undefined

  constructor(next: ResponseHandler, maxBytes: number) {
    super(next)
    this.#maxBytes = maxBytes
  }

  data(chunk: Buffer): void {
    this.#bytes += chunk.length
    // What is answered with `onFail` takes no more: the rest of the body is dropped by whoever reads it.
    if (this.#bytes > this.#maxBytes) this.handler?.cancel(tooLarge(this.#maxBytes))
    else this.handler?.data(chunk)
  }

  end(trailers: Fields | undefined): void {
    if (this.#bytes <= this.#maxBytes) this.handler?.end(trailers)
  }

  cancel(error: MeshError): void {
    this.handler?.cancel(error)
  }

  pause(): void {
    this.handler?.pause()
  }

  resume(): void {
    this.handler?.resume()
  }
}
