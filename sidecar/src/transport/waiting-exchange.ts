/** A request that waits, for a connection or an answer of ours: holds what comes of its body, which is little, because it pauses the caller. */
import { MeshError } from '@weft/schemas/error'
import {
  ANSWERED,
  type Fields,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type Service,
} from './exchange.ts'

export interface WaitingOwner {
  onWaitCancelled(waiting: WaitingExchange): void
}

export class WaitingExchange implements RequestHandler {
  readonly #owner: WaitingOwner
  readonly #head: RequestHead
  readonly #response: ResponseHandler
  readonly #chunks: Buffer[] = []
  #handler: RequestHandler | undefined
  #isEnded = false
  #trailers: Fields | undefined
  #isAnswerPaused = false
  #isOver = false

  constructor(owner: WaitingOwner, head: RequestHead, response: ResponseHandler) {
    this.#owner = owner
    this.#head = head
    this.#response = response
  }

  /** The wait is over: the request goes on to `next`. */
  attach(next: Service): void {
    if (this.#isOver) return
    const handler = this.#goOn(next)
    this.#handler = handler
    if (this.#isAnswerPaused) handler.pause()
    for (const chunk of this.#chunks) handler.data(chunk)
    if (this.#isEnded) handler.end(this.#trailers)
    if (this.#chunks.length > 0) this.#response.onResume()
    this.#chunks.length = 0
  }

  #goOn(next: Service): RequestHandler {
    try {
      return next.call(this.#head, this.#response)
    } catch (thrown) {
      this.#response.onFail(MeshError.from(thrown), 'unsent')
      return ANSWERED
    }
  }

  fail(error: MeshError): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#response.onFail(error, 'unsent')
  }

  data(chunk: Buffer): void {
    if (this.#handler !== undefined) {
      this.#handler.data(chunk)
      return
    }
    if (this.#isOver) return
    this.#chunks.push(chunk)
    this.#response.onPause()
  }

  end(trailers: Fields | undefined): void {
    if (this.#handler !== undefined) {
      this.#handler.end(trailers)
      return
    }
    this.#isEnded = true
    this.#trailers = trailers
  }

  cancel(error: MeshError): void {
    if (this.#handler !== undefined) {
      this.#handler.cancel(error)
      return
    }
    if (this.#isOver) return
    this.#owner.onWaitCancelled(this)
    this.fail(error)
  }

  pause(): void {
    this.#isAnswerPaused = true
    this.#handler?.pause()
  }

  resume(): void {
    this.#isAnswerPaused = false
    this.#handler?.resume()
  }
}
