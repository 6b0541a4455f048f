/**
 * Power of two choices: of two endpoints drawn at random the one with fewer requests in flight, and of two that are equally
 * busy the one that answered faster of late. As good as looking at all of them, at the price of looking at two.
 */
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

/** What is known of one endpoint, over all snapshots that have it. */
export interface BalancedEndpoint {
  /** Address, port and identity: the same for as long as the endpoint is the same. */
  readonly key: string
  readonly identity: string
  readonly pool: Service
  active: number
  /** Moving average of the time to the head of an answer. */
  latencyMs: number
}

/** Weight of the newest answer: about the last ten count. */
const LATENCY_WEIGHT = 0.1

export function balance(endpoints: readonly BalancedEndpoint[], serviceName: string): Service {
  return {
    call(head, response) {
      const { pinned, tried } = head.notes
      const endpoint =
        (tried === undefined ? pinnedOf(endpoints, pinned) : undefined) ?? choose(endpoints, tried)
      if (endpoint === undefined)
        throw new MeshError('no_endpoint', `expected an endpoint of ${serviceName}; it has none`, {
          target: serviceName,
        })
      head.notes.tried = endpoint
      head.notes.endpointIdentity = endpoint.identity
      return send(endpoint, head, response)
    },
  }
}

/** Where a session comes back to, at the first attempt; the next one goes elsewhere like any other. */
const pinnedOf = (
  endpoints: readonly BalancedEndpoint[],
  pinned: object | undefined,
): BalancedEndpoint | undefined =>
  pinned === undefined ? undefined : endpoints.find((endpoint) => endpoint === pinned)

function send(endpoint: BalancedEndpoint, head: RequestHead, response: ResponseHandler): RequestHandler {
  const balanced = new BalancedResponse(response, endpoint)
  try {
    return endpoint.pool.call(head, balanced)
  } catch (thrown) {
    balanced.release()
    throw thrown
  }
}

/** Never the host just tried, where there is another. */
export function choose(
  endpoints: readonly BalancedEndpoint[],
  tried: object | undefined,
): BalancedEndpoint | undefined {
  if (endpoints.length < 2) return endpoints[0]
  const avoided = (endpoints as readonly (object | undefined)[]).indexOf(tried)
  const count = avoided === -1 ? endpoints.length : endpoints.length - 1
  const draw = (below: number): number => Math.floor(Math.random() * below)
  const place = (drawn: number): number => (avoided !== -1 && drawn >= avoided ? drawn + 1 : drawn)
  const first = draw(count)
  const one = endpoints[place(first)]
  if (count === 1) return one
  const second = draw(count - 1)
  const other = endpoints[place(second >= first ? second + 1 : second)]
  if (one === undefined || other === undefined) return one
  if (one.active !== other.active) return one.active < other.active ? one : other
  return one.latencyMs <= other.latencyMs ? one : other
}

class BalancedResponse extends ForwardingResponse {
  readonly #endpoint: BalancedEndpoint
  readonly #startedAt = performance.now()
  #isReleased = false

  constructor(next: ResponseHandler, endpoint: BalancedEndpoint) {
    super(next)
    this.#endpoint = endpoint
    endpoint.active++
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#endpoint.active--
  }

  override onHead(head: ResponseHead): void {
    const elapsed = performance.now() - this.#startedAt
    this.#endpoint.latencyMs += (elapsed - this.#endpoint.latencyMs) * LATENCY_WEIGHT
    this.next.onHead(head)
  }

  override onEnd(trailers: Fields | undefined): void {
    this.release()
    this.next.onEnd(trailers)
  }

  override onFail(error: MeshError, progress: Progress): void {
    this.release()
    this.next.onFail(error, progress)
  }
}
