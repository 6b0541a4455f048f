/** The HTTP surface of publishing: guard and routes. What a request does is in publish.ts. */
import { MeshError } from '@weft/schemas/error'
import {
  ANSWERED,
  type HttpAnswer,
  type HttpBody,
  type HttpRequest,
  type HttpService,
} from '../../http-service.ts'
import type { Transactions } from '../produce/transactions.ts'
import { answerError } from './answer.ts'
import { refuseBrowsers } from './guard.ts'
import { Publication, type PublishContext } from './publish.ts'
import { TransactionRequest } from './transaction.ts'

const EVENTS_PATH = /^\/v1\/topics\/([^/?]{1,800})\/events(?:\?|$)/
const TRANSACTIONS_PATH = /^\/v1\/transactions(?:\?|$)/

const isServed = (target: string): boolean => EVENTS_PATH.test(target) || TRANSACTIONS_PATH.test(target)

export class PublishService implements HttpService {
  readonly #context: PublishContext
  readonly #transactions: Transactions
  readonly #host: string
  #inFlight = 0
  #isDraining = false
  #onIdle = (): void => {}

  constructor(context: Omit<PublishContext, 'onDone'>, transactions: Transactions, host: string) {
    this.#transactions = transactions
    this.#context = { ...context, onDone: () => this.#onDone() }
    this.#host = host
  }

  call(request: HttpRequest, answer: HttpAnswer): HttpBody {
    try {
      refuseBrowsers(request, this.#host)
      if (this.#isDraining) throw new MeshError('draining', 'the sidecar is stopping')
      if (request.method !== 'POST' && isServed(request.target)) {
        const error = new MeshError('not_implemented', 'expected POST')
        answerError(answer, error, { status: 405, fields: ['allow', 'POST'] })
        return ANSWERED
      }
      return this.#begin(request, answer)
    } catch (thrown) {
      answerError(answer, MeshError.from(thrown))
      return ANSWERED
    }
  }

  #begin(request: HttpRequest, answer: HttpAnswer): HttpBody {
    if (TRANSACTIONS_PATH.test(request.target)) {
      const transaction = new TransactionRequest(this.#context, this.#transactions, { request, answer })
      this.#inFlight++
      return transaction.begin()
    }
    const topic = topicOf(request.target)
    if (topic === undefined)
      throw new MeshError(
        'not_found',
        `nothing is at ${request.method} ${request.target.slice(0, 200)}; publish with POST /v1/topics/{topic}/events`,
      )
    const publication = new Publication(this.#context, request, answer, topic)
    this.#inFlight++
    return publication.begin(topic)
  }

  /** Refuses new requests, resolves when those in flight are answered, at the deadline at the latest. */
  async drain(deadlineMs: number): Promise<void> {
    this.#isDraining = true
    if (this.#inFlight === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, deadlineMs)
    this.#onIdle = resolve
    await promise
    clearTimeout(timer)
  }

  #onDone(): void {
    this.#inFlight--
    if (this.#inFlight === 0) this.#onIdle()
  }
}

function topicOf(target: string): string | undefined {
  const name = EVENTS_PATH.exec(target)?.[1]
  if (name === undefined || !name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    throw new MeshError('invalid_request', 'expected percent-encoded UTF-8 as topic')
  }
}
