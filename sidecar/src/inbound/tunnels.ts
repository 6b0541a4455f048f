/** WebSockets and the like, which outlive what allowed them: each is judged again when that has changed. */
import { MeshError } from '@weft/schemas/error'
import {
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type Service,
  WatchedResponse,
} from '../transport/exchange.ts'

export class Tunnels {
  readonly #open = new Set<Tunnel>()

  /** Hands a request for another protocol on, and remembers it for as long as it lasts. */
  call(inner: Service, head: RequestHead, response: ResponseHandler): RequestHandler {
    const tunnel = new Tunnel(head, response, (ended) => this.#open.delete(ended))
    this.#open.add(tunnel)
    try {
      tunnel.handler = inner.call(head, tunnel)
    } catch (thrown) {
      this.#open.delete(tunnel)
      throw thrown
    }
    return tunnel.handler
  }

  /** Breaks those off that would not be let in any more. */
  keepOnly(isAllowed: (head: RequestHead) => boolean): void {
    for (const { head, handler } of [...this.#open])
      if (!isAllowed(head))
        handler?.cancel(new MeshError('permission_denied', 'the policy that allowed this has changed'))
  }
}

class Tunnel extends WatchedResponse {
  readonly head: RequestHead
  readonly #onEnded: (tunnel: Tunnel) => void
  handler: RequestHandler | undefined

  constructor(head: RequestHead, next: ResponseHandler, onEnded: (tunnel: Tunnel) => void) {
    super(next)
    this.head = head
    this.#onEnded = onEnded
  }

  protected override ended(): void {
    this.#onEnded(this)
  }
}
