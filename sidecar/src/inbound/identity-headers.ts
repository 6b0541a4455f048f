/**
 * The app may believe the identity headers that it gets, because whatever a caller wrote there is taken out first:
 * fields, trailers, and spellings with `_`, which CGI-like servers cannot tell from `-`.
 */
import type { Fields, RequestHandler, RequestHead, Service } from '../transport/exchange.ts'
import { UNKNOWN_LENGTH } from '../transport/exchange.ts'
import { removeFields } from '../transport/fields.ts'

/** The header in which Envoy and Istio tell an app who called, and in which apps expect it. */
const CLIENT_CERTIFICATE = 'x-forwarded-client-cert'

const IDENTITY_NAMES: ReadonlySet<string> = new Set([
  CLIENT_CERTIFICATE,
  'client-cert', // RFC 9440
  'client-cert-chain',
  'x-client-cert',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-preferred-username',
  'x-forwarded-user',
  'x-remote-user',
  'x-remote-groups',
])
const IDENTITY_PREFIXES = ['x-weft-', 'x-ssl-client-', 'ssl-client-', 'x-spiffe-'] as const

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

export function isIdentityHeader(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first !== X && first !== S && first !== C) return false
  const spelled = name.includes('_') ? name.replaceAll('_', '-') : name
  return IDENTITY_NAMES.has(spelled) || IDENTITY_PREFIXES.some((prefix) => spelled.startsWith(prefix))
}

const X = 120
const S = 115
const C = 99

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
