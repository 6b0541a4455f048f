/** The HTTP surface of publishing: guard and routes. What a request does is in publish.ts. */
import { MeshError } from '@weft/schemas/error'
import type { HttpAnswer, HttpBody, HttpRequest, HttpService } from '../../http-service.ts'
import { answerError } from './answer.ts'
import { refuseBrowsers } from './guard.ts'
import { Publication, type PublishContext } from './publish.ts'

const EVENTS_PATH = /^\/v1\/topics\/([^/?]{1,800})\/events(?:\?|$)/

const nothing = (): void => {}
const ANSWERED: HttpBody = { data: nothing, end: nothing, cancel: nothing, pause: nothing, resume: nothing }

export class PublishService implements HttpService {
  readonly #context: PublishContext
  readonly #host: string
  #inFlight = 0
  #isDraining = false
  #onIdle = (): void => {}

  constructor(context: Omit<PublishContext, 'onDone'>, host: string) {
    this.#context = { ...context, onDone: () => this.#onDone() }
    this.#host = host
  }

  call(request: HttpRequest, answer: HttpAnswer): HttpBody {
    try {
      refuseBrowsers(request, this.#host)
      if (this.#isDraining) throw new MeshError('draining', 'the sidecar is stopping')
      const topic = topicOf(request.target)
      if (topic === undefined)
        throw new MeshError(
          'not_found',
          `nothing is at ${request.method} ${request.target.slice(0, 200)}; publish with POST /v1/topics/{topic}/events`,
        )
      if (request.method !== 'POST') {
        const error = new MeshError('not_implemented', 'expected POST')
        answerError(answer, error, { status: 405, fields: ['allow', 'POST'] })
        return ANSWERED
      }
      const publication = new Publication(this.#context, request, answer, topic)
      this.#inFlight++
      publication.begin(topic)
      return publication
    } catch (thrown) {
      answerError(answer, MeshError.from(thrown))
      return ANSWERED
    }
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
