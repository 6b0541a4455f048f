/**
 * The app may believe the identity headers that it gets, because whatever a caller wrote there is taken out first:
 * fields, trailers, and spellings with `_`, which CGI-like servers cannot tell from `-`.
 */
import { CLIENT_CERTIFICATE, isIdentityHeader } from '@weft/schemas/identity-headers'
import type { Fields, RequestHandler, RequestHead, Service } from '../transport/exchange.ts'
import { UNKNOWN_LENGTH } from '../transport/exchange.ts'
import { removeFields } from '../transport/fields.ts'

export function identityHeaders(inner: Service): Service {
  return {
    call(head, response) {
      removeFields(head.fields, isIdentityHeader)
      const { id } = head.peer
      if (id !== undefined) head.fields.push(CLIENT_CERTIFICATE, `URI=${id.uri}`)
      const handler = inner.call(head, response)
      return mayHaveTrailers(head) ? new CleanTrailers(handler) : handler
    },
  }
}

const mayHaveTrailers = (head: RequestHead): boolean => head.length === UNKNOWN_LENGTH

class CleanTrailers implements RequestHandler {
  readonly #inner: RequestHandler

  constructor(inner: RequestHandler) {
    this.#inner = inner
  }
  data(chunk: Buffer): void {
    this.#inner.data(chunk)
  }
  end(trailers: Fields | undefined): void {
    if (trailers !== undefined) removeFields(trailers, isIdentityHeader)
    this.#inner.end(trailers)
  }
  cancel(error: Parameters<RequestHandler['cancel']>[0]): void {
    this.#inner.cancel(error)
  }
  pause(): void {
    this.#inner.pause()
  }
  resume(): void {
    this.#inner.resume()
  }
}
