/** The HTTP surface of taking records: `GET /v1/subscriptions/{name}/events`, and how its caller settles them. */
import { MeshError } from '@weft/schemas/error'
import {
  ANSWERED,
  type HttpAnswer,
  type HttpBody,
  type HttpRequest,
  type HttpService,
} from '../../http-service.ts'
import { answerError, answerWith } from '../publish/answer.ts'
import { Body } from '../publish/body.ts'
import type { ByteBudget } from '../publish/byte-budget.ts'
import { refuseBrowsers } from '../publish/guard.ts'
import { EventStream, type EventStreamOptions } from './event-stream.ts'
import { readSettlements } from './settlements.ts'
import type { Streams } from './streams.ts'

const PATH = /^\/v1\/subscriptions\/([a-z0-9.-]{1,253})\/(events|settlements)(?:\?(.*))?$/
const DEFAULT_WINDOW = 16
const MAX_WINDOW = 1_024
const MAX_SETTLEMENTS_BYTES = 64 * 1024

export interface SubscriptionServiceOptions {
  readonly streams: Streams
  readonly budget: ByteBudget
  readonly host: string
}

export class SubscriptionService implements HttpService {
  readonly #options: SubscriptionServiceOptions
  readonly #open = new Map<string, EventStream>()
  #isDraining = false

  constructor(options: SubscriptionServiceOptions) {
    this.#options = options
  }

  static isFor({ target }: HttpRequest): boolean {
    return target.startsWith('/v1/subscriptions/')
  }

  call(request: HttpRequest, answer: HttpAnswer): HttpBody {
    try {
      refuseBrowsers(request, this.#options.host)
      const [, subscription = '', what, query = ''] = PATH.exec(request.target) ?? []
      if (what === undefined)
        throw new MeshError(
          'not_found',
          `nothing is at ${request.target.slice(0, 200)}; expected /v1/subscriptions/{name}/events or /settlements`,
        )
      const method = what === 'events' ? 'GET' : 'POST'
      if (request.method !== method) {
        const error = new MeshError('not_implemented', `expected ${method}`)
        answerError(answer, error, { status: 405, fields: ['allow', method] })
        return ANSWERED
      }
      return what === 'events'
        ? this.#begin(answer, { subscription, ...settingsOf(new URLSearchParams(query)) })
        : this.#settle(request, answer, subscription)
    } catch (thrown) {
      answerError(answer, MeshError.from(thrown))
      return ANSWERED
    }
  }

  /** Ends all streams: their callers come again, to whoever is there then. */
  drain(): void {
    this.#isDraining = true
    for (const stream of [...this.#open.values()])
      stream.stop(new MeshError('draining', 'the sidecar is stopping'))
  }

  #begin(answer: HttpAnswer, options: EventStreamOptions): HttpBody {
    if (this.#isDraining) throw new MeshError('draining', 'the sidecar is stopping')
    const stream = new EventStream(this.#options.streams, answer, options, () => this.#open.delete(stream.id))
    this.#open.set(stream.id, stream)
    return stream
  }

  #settle({ length }: HttpRequest, answer: HttpAnswer, subscription: string): HttpBody {
    const body: Body = new Body({
      what: 'a list of settlements',
      maxBytes: MAX_SETTLEMENTS_BYTES,
      budget: this.#options.budget,
      declared: length,
      onWhole: (bytes) => {
        try {
          const late = readSettlements(bytes).filter(({ stream, delivery, answer: settled }) => {
            const open = this.#open.get(stream)
            return open?.subscription !== subscription || !open.settle(delivery, settled)
          })
          const told = JSON.stringify({ late: late.map(({ id }) => id) })
          answerWith(answer, { status: 200, fields: ['content-type', 'application/json'] }, told)
        } catch (error) {
          answerError(answer, MeshError.from(error))
        }
        body.release()
      },
      onFail: (error) => answerError(answer, error),
    })
    return body
  }
}

function settingsOf(query: URLSearchParams): Pick<EventStreamOptions, 'window' | 'settle'> {
  const settle = query.get('settle') ?? 'explicit'
  if (settle !== 'explicit' && settle !== 'auto')
    throw new MeshError('invalid_event', `settle: expected explicit or auto, came ${JSON.stringify(settle)}`)
  const text = query.get('window') ?? String(DEFAULT_WINDOW)
  const window = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (window < 1 || window > MAX_WINDOW)
    throw new MeshError(
      'invalid_event',
      `window: expected 1 to ${MAX_WINDOW}, came ${JSON.stringify(text.slice(0, 20))}`,
    )
  return { settle, window }
}
