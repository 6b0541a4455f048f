/** Sends a request to the endpoint that the balancer of its service chooses, and watches what becomes of it. */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  ForwardingResponse,
  type Progress,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../transport/exchange.ts'
import type { Balancer } from './balance/balancer.ts'
import type { LiveEndpoint } from './endpoint.ts'
import { grpcStatusOf, type Outcome, outcomeOfAnswer, outcomeOfFailure } from './outcome.ts'

export interface BalanceOptions {
  readonly serviceName: string
  readonly balancer: Pick<Balancer, 'pick' | 'known'>
  /** Told how each attempt ended that says something of its endpoint. */
  readonly onOutcome: (endpoint: LiveEndpoint, outcome: Outcome) => void
}

export function balance(options: BalanceOptions): Service {
  const { balancer, serviceName } = options
  return {
    call(head, response) {
      const { pinned, tried } = head.notes
      // Where a session comes back to, at the first attempt; the next one goes elsewhere like any other.
      const endpoint =
        (pinned === undefined || tried !== undefined ? undefined : balancer.known(pinned)) ??
        balancer.pick(head, tried)
      if (endpoint === undefined)
        throw new MeshError(
          'no_endpoint',
          `expected an endpoint of ${serviceName} for this request; it has none`,
          { target: serviceName },
        )
      head.notes.tried = endpoint
      head.notes.endpointIdentity = endpoint.identity
      return send(endpoint, head, new BalancedResponse(response, endpoint, options))
    },
  }
}

function send(endpoint: LiveEndpoint, head: RequestHead, response: BalancedResponse): RequestHandler {
  try {
    return endpoint.pool.call(head, response)
  } catch (thrown) {
    response.release()
    throw thrown
  }
}

class BalancedResponse extends ForwardingResponse {
  readonly #endpoint: LiveEndpoint
  readonly #options: BalanceOptions
  readonly #startedAt = performance.now()
  #status = 0
  #grpcStatus: string | undefined
  #isReleased = false

  constructor(next: ResponseHandler, endpoint: LiveEndpoint, options: BalanceOptions) {
    super(next)
    this.#endpoint = endpoint
    this.#options = options
    endpoint.active++
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#endpoint.active--
  }

  override onHead(head: ResponseHead): void {
    const now = performance.now()
    const { latency } = this.#endpoint
    this.#status = head.status
    this.#grpcStatus = grpcStatusOf(head.fields)
    if (head.status < 500) latency.observe(now - this.#startedAt, now)
    else latency.observeRefusal(now - this.#startedAt, now)
    this.next.onHead(head)
  }

  override onEnd(trailers: Fields | undefined): void {
    this.release()
    const grpcStatus = this.#grpcStatus ?? grpcStatusOf(trailers)
    this.#options.onOutcome(this.#endpoint, outcomeOfAnswer(this.#status, grpcStatus))
    this.next.onEnd(trailers)
  }

  override onFail(error: MeshError, progress: Progress): void {
    this.release()
    const outcome = outcomeOfFailure(error)
    if (outcome !== undefined) {
      this.#endpoint.latency.observeFailure(performance.now())
      this.#options.onOutcome(this.#endpoint, outcome)
    }
    this.next.onFail(error, progress)
  }
}
