/** One call that takes the records of a subscription: credits and settlements come, deliveries go. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import { type Delivery, type Settlement, Settlement_Action, type SubscribeRequest } from '@weft/schemas/proto'
import type { Answer } from '../deliver/classify.ts'
import type { Attempt } from '../deliver/receiver.ts'
import type { Taker } from '../streams/stream-receiver.ts'
import type { EndableStream, Streams } from '../streams/streams.ts'
import { deliveryOf } from './delivery.ts'
import { toStatus } from './status.ts'

/** Nobody deals with more at once, and each may be held in memory. */
const MAX_CREDITS = 10_000

export class SubscribeStreamCall implements EndableStream {
  readonly #streams: Streams
  readonly #call: ServerDuplexStream<SubscribeRequest, Delivery>
  readonly #log: Log
  #taker: Taker | undefined
  #isOver = false

  constructor(streams: Streams, call: ServerDuplexStream<SubscribeRequest, Delivery>, log: Log) {
    this.#streams = streams
    this.#call = call
    this.#log = log
    call.on('error', () => {})
    call.on('data', (request: SubscribeRequest) => this.#take(request))
    call.on('drain', () => this.#taker?.resume())
    call.on('end', () => this.#end())
    call.on('close', () => this.#end())
  }

  deliver(delivery: bigint, attempt: Attempt): void {
    if (this.#isOver) return
    if (!this.#call.write(deliveryOf(delivery, attempt))) this.#taker?.pause()
  }

  stop(error: MeshError): void {
    if (this.#isOver) return
    this.#detach()
    this.#call.emit('error', toStatus(error, this.#log))
  }

  #take(request: SubscribeRequest): void {
    if (this.#isOver) return
    try {
      const taker = this.#begun(request)
      for (const settlement of request.settlements) settle(taker, settlement)
      if (taker.credits + request.credits > MAX_CREDITS)
        throw new MeshError('invalid_request', `expected at most ${MAX_CREDITS} credits at once`)
      if (request.credits > 0) taker.grant(request.credits)
    } catch (error) {
      this.stop(MeshError.from(error))
    }
  }

  #begun({ subscription }: SubscribeRequest): Taker {
    if (this.#taker !== undefined) {
      if (subscription === '') return this.#taker
      throw new MeshError('invalid_request', 'expected one subscription in a call, in its first message')
    }
    if (subscription === '')
      throw new MeshError('invalid_request', 'expected the name of a Subscription in the first message')
    this.#taker = this.#streams.attach(subscription, this)
    return this.#taker
  }

  /** The caller has ended: what it has not settled it has not dealt with. */
  #end(): void {
    if (this.#isOver) return
    this.#detach()
    this.#call.end()
  }

  #detach(): void {
    this.#isOver = true
    if (this.#taker !== undefined) this.#streams.detach(this, this.#taker)
  }
}

function settle(taker: Taker, { delivery, action, retryAfterMs }: Settlement): void {
  if (!taker.hasDelivered(delivery))
    throw new MeshError('invalid_request', `settlements: there was no delivery ${delivery} in this call`)
  taker.settle(delivery, answerOf(action, retryAfterMs))
}

function answerOf(action: Settlement_Action, retryAfterMs: number): Answer {
  switch (action) {
    case Settlement_Action.ACKNOWLEDGE:
      return { kind: 'settled', verdict: 'acknowledged' }
    case Settlement_Action.RETRY:
      return { kind: 'settled', verdict: 'retry', retryAfterMs }
    case Settlement_Action.DROP:
      return { kind: 'settled', verdict: 'dropped' }
    case Settlement_Action.DEAD_LETTER:
      return { kind: 'settled', verdict: 'poison' }
    default:
      throw new MeshError('invalid_request', `settlements: expected an action, came ${action}`)
  }
}
