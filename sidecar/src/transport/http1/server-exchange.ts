/** One request of an accepted connection: hands the request to the service and writes its answer. */
import type { MeshError } from '@weft/schemas/error'
import {
  ANSWERED,
  type Fields,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  UNKNOWN_LENGTH,
} from '../exchange.ts'
import type { Output } from '../output.ts'
import { answeredKey } from '../upgrade.ts'
import { BodyWriter, NO_BODY, UNTIL_CLOSE } from './body-writer.ts'
import { hasNoBody } from './response-head.ts'
import { interimText, responseText, switchingText } from './write-head.ts'

/** What an exchange asks of its connection. */
export interface ExchangeOwner {
  readonly output: Output
  /** What the head of this exchange said of the connection. */
  readonly heads: { readonly isHttp10: boolean; readonly expectsContinue: boolean }
  /** True where this answer is to be the last one of the connection. */
  readonly closesAfterAnswer: boolean
  mustClose(): void
  /** Request and answer are whole. */
  onAnswered(exchange: ServerExchange): void
  /** The answer cannot be finished. */
  onBroken(exchange: ServerExchange): void
  onPauseRequest(): void
  onResumeRequest(): void
  /** Bytes went through the tunnel that this exchange has become. */
  onTunnelled(): void
}

export class ServerExchange implements ResponseHandler {
  readonly #owner: ExchangeOwner
  readonly head: RequestHead
  /** Assigned when the service has returned; until then there is nobody to tell. */
  handler: RequestHandler = ANSWERED
  isRequestEnded = false
  isAnswerStarted = false
  isAnswerEnded = false
  /** The caller goes on with the protocol that it asked for. */
  isTunnel = false
  #body: BodyWriter | undefined

  constructor(owner: ExchangeOwner, head: RequestHead) {
    this.#owner = owner
    this.head = head
  }

  onInterim(status: number, fields: Fields): void {
    // RFC 9110, section 15.2: HTTP/1.0 defines no 1xx.
    if (this.isAnswerStarted || this.#owner.heads.isHttp10) return
    this.#owner.output.text(interimText(status, fields))
  }

  onHead(head: ResponseHead): void {
    if (this.isAnswerEnded) return
    this.isAnswerStarted = true
    const owner = this.#owner
    const { method, upgrade } = this.head
    if (head.status === 101 && upgrade !== undefined) {
      this.isTunnel = true
      owner.output.text(switchingText(upgrade, answeredKey(this.head, head.fields)))
      this.#body = new BodyWriter(owner.output, UNTIL_CLOSE)
      return
    }
    // The caller may now keep its body to itself, and what comes next could be either that body or a request.
    if (owner.heads.expectsContinue && !this.isRequestEnded) owner.mustClose()
    const knowsChunks = !owner.heads.isHttp10
    owner.output.text(responseText(head, { method, knowsChunks, closes: owner.closesAfterAnswer }))
    const length = head.length === UNKNOWN_LENGTH && !knowsChunks ? UNTIL_CLOSE : head.length
    this.#body = new BodyWriter(owner.output, hasNoBody(method, head.status) ? NO_BODY : length)
  }

  onData(chunk: Buffer): void {
    if (this.isAnswerEnded || this.#body === undefined) return
    if (!this.#body.data(chunk)) this.#break()
    else if (this.isTunnel) this.#owner.onTunnelled()
  }

  onEnd(trailers: Fields | undefined): void {
    if (this.isAnswerEnded) return
    if (this.#body?.end(trailers) !== true) {
      this.#break()
      return
    }
    this.isAnswerEnded = true
    this.#owner.onAnswered(this)
  }

  /** Comes here only where no layer made an answer of it, because one had begun. */
  onFail(_error: MeshError): void {
    if (!this.isAnswerEnded) this.#break()
  }

  onPause(): void {
    if (!this.isAnswerEnded) this.#owner.onPauseRequest()
  }

  onResume(): void {
    if (!this.isAnswerEnded) this.#owner.onResumeRequest()
  }

  #break(): void {
    this.isAnswerEnded = true
    this.#owner.onBroken(this)
  }
}
