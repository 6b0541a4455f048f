/**
 * What the event API needs of the HTTP server that carries it. The server is given from outside: the sidecar has one already, and
 * this package must not know the sidecar. Its transport fits as it is (sidecar/src/transport/exchange.ts says the rules that
 * both sides keep: one end for each call, back-pressure, chunks that are never changed).
 */
import type { MeshError } from '@weft/schemas/error'
import type { Listener } from './listener.ts'

export interface HttpRequest {
  readonly method: string
  /** Path and query as they came. */
  readonly target: string
  /** Host and port that were asked for; empty where none was. */
  readonly authority: string
  /** Name, value, name, value…; names in lower case, values as Latin-1 text. */
  readonly fields: readonly string[]
  /** Bytes of the body; -1 where its end says so. */
  readonly length: number
}

/** The answer; after `onHead` come its data and its end. Where the caller is gone its calls mean nothing. */
export interface HttpAnswer {
  onInterim(status: number, fields: string[]): void
  onHead(head: { readonly status: number; readonly fields: string[]; readonly length: number }): void
  onData(chunk: Buffer): void
  onEnd(trailers: undefined): void
}

/** Receives the body of the request. After the answer has ended its calls mean nothing. */
export interface HttpBody {
  data(chunk: Buffer): void
  end(): void
  /** The caller is gone. */
  cancel(error: MeshError): void
  pause(): void
  resume(): void
}

const nothing = (): void => {}
/** For requests that are answered before `call` returns. */
export const ANSWERED: HttpBody = {
  data: nothing,
  end: nothing,
  cancel: nothing,
  pause: nothing,
  resume: nothing,
}

export interface HttpService {
  call(request: HttpRequest, answer: HttpAnswer): HttpBody
}

/** Listens and serves; rejects where the port cannot be bound. */
export type ListenHttp = (options: {
  readonly host: string
  readonly port: number
  readonly service: HttpService
}) => Promise<Listener>
