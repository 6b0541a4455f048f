/** The records of a subscription as server-sent events (WHATWG HTML, 9.2), for who has no gRPC. */
import { randomBytes } from 'node:crypto'
import type { MeshError } from '@weft/schemas/error'
import type { HttpAnswer, HttpBody } from '../../http-service.ts'
import type { Answer } from '../deliver/classify.ts'
import type { Attempt } from '../deliver/receiver.ts'
import { recordJson } from './record-json.ts'
import type { Taker } from './stream-receiver.ts'
import type { EndableStream, Streams } from './streams.ts'

export interface EventStreamOptions {
  readonly subscription: string
  /** How many records may be on their way: not settled, or not read. */
  readonly window: number
  /** explicit: the caller settles each; auto: it is dealt with once it is written to the connection. */
  readonly settle: 'explicit' | 'auto'
}

/** So often something is written, that a connection which leads nowhere is noticed. */
const KEEP_ALIVE_MS = 15_000
const KEEP_ALIVE = Buffer.from(': keep-alive\n\n')

export class EventStream implements EndableStream, HttpBody {
  /** Unguessable, and what each of its ids begins with. */
  readonly id = randomBytes(9).toString('base64url')
  readonly subscription: string
  readonly #streams: Streams
  readonly #answer: HttpAnswer
  readonly #isAuto: boolean
  readonly #onOver: () => void
  readonly #taker: Taker
  readonly #keepAlive: NodeJS.Timeout
  #isOver = false

  /** Throws where the subscription may not be taken from; else the answer has begun. `onOver` runs when it is over. */
  constructor(streams: Streams, answer: HttpAnswer, options: EventStreamOptions, onOver: () => void) {
    this.#streams = streams
    this.#answer = answer
    this.subscription = options.subscription
    this.#isAuto = options.settle === 'auto'
    this.#onOver = onOver
    this.#taker = streams.attach(options.subscription, this)
    const fields = ['content-type', 'text/event-stream', 'cache-control', 'no-store']
    answer.onHead({ status: 200, fields, length: -1 })
    answer.onData(KEEP_ALIVE)
    this.#keepAlive = setInterval(() => answer.onData(KEEP_ALIVE), KEEP_ALIVE_MS)
    this.#taker.grant(options.window)
  }

  deliver(delivery: bigint, attempt: Attempt): void {
    if (this.#isOver) return
    // JSON has no line ends of its own, so the record is one line.
    this.#answer.onData(Buffer.from(`id: ${this.id}.${delivery}\ndata: ${recordJson(attempt)}\n\n`))
    if (this.#isAuto) this.settle(delivery, { kind: 'settled', verdict: 'acknowledged' })
  }

  /** False where it is no longer to be settled: it was too late, or its partition is another's. */
  settle(delivery: bigint, answer: Answer): boolean {
    return this.#taker.settle(delivery, answer)
  }

  closed(): void {
    if (!this.#isOver) this.#taker.grant(1)
  }

  stop(error: MeshError): void {
    if (this.#isOver) return
    this.#end()
    this.#answer.onData(Buffer.from(`: ${error.message.replace(/\s+/g, ' ')}\n\n`))
    this.#answer.onEnd(undefined)
  }

  data(): void {}
  end(): void {}

  /** The caller is gone: what it has not settled it has not dealt with. */
  cancel(): void {
    if (!this.#isOver) this.#end()
  }

  pause(): void {
    this.#taker.pause()
  }

  resume(): void {
    this.#taker.resume()
  }

  #end(): void {
    this.#isOver = true
    clearInterval(this.#keepAlive)
    this.#streams.detach(this, this.#taker)
    this.#onOver()
  }
}
