/** Refuses at once what is more than a service may have in flight, so that callers hear of it while they can still do something. */
import { MeshError } from '@weft/schemas/error'
import { type ResponseHandler, type Service, WatchedResponse } from '../transport/exchange.ts'

/** Of one service, across its handlers and snapshots. */
export interface RequestCount {
  active: number
}

export interface RequestLimit {
  readonly serviceName: string
  readonly count: RequestCount
  /** 0: no limit. */
  readonly maxRequests: number
}

export function limitRequests(inner: Service, { serviceName, count, maxRequests }: RequestLimit): Service {
  if (maxRequests === 0) return inner
  return {
    call(head, response) {
      if (count.active >= maxRequests)
        throw new MeshError(
          'overloaded',
          `${serviceName}: expected at most ${maxRequests} requests in flight`,
          { target: serviceName },
        )
      const limited = new CountedResponse(response, count)
      try {
        return inner.call(head, limited)
      } catch (thrown) {
        limited.release()
        throw thrown
      }
    },
  }
}

class CountedResponse extends WatchedResponse {
  readonly #count: RequestCount
  #isReleased = false

  constructor(next: ResponseHandler, count: RequestCount) {
    super(next)
    this.#count = count
    count.active++
  }

  release(): void {
    if (this.#isReleased) return
    this.#isReleased = true
    this.#count.active--
  }

  protected override ended(): void {
    this.release()
  }
}
