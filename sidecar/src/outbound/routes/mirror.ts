/**
 * RequestMirror: a copy of a request to another backend. Its answer is read and thrown away.
 *
 * A mirror never holds up the request: what it cannot take at once waits, up to 256 KiB, and then the mirror is given up.
 * It ends with the request, and at most so many run at once; more are left out.
 */
import { MeshError } from '@weft/schemas/error'
import {
  type Fields,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type Service,
  WatchedResponse,
} from '../../transport/exchange.ts'

/** Envoy's default of requests in flight per cluster is 1,024; a copy is worth a tenth of the requests that are waited for. */
const MAX_MIRRORS = 100
const MAX_WAITING_BYTES = 256 * 1024

/** All mirrors of one process share it, over all snapshots. */
export class MirrorBudget {
  #active = 0
  readonly #onEnd: (destination: string, outcome: MirrorOutcome) => void

  constructor(onEnd: (destination: string, outcome: MirrorOutcome) => void) {
    this.#onEnd = onEnd
  }

  /** False where a mirror has to be left out. */
  tryTake(destination: string): boolean {
    if (this.#active >= MAX_MIRRORS) {
      this.#onEnd(destination, 'left-out')
      return false
    }
    this.#active++
    return true
  }

  giveBack(destination: string, outcome: MirrorOutcome): void {
    this.#active--
    this.#onEnd(destination, outcome)
  }
}

/** answered: whatever the status; failed: no whole answer; left-out: too many run already. */
export type MirrorOutcome = 'answered' | 'failed' | 'left-out'

export interface MirrorTarget {
  readonly service: Service
  readonly name: string
  /** Share of the requests, 0 to 1. */
  readonly share: number
}

export function mirror(inner: Service, target: MirrorTarget, budget: MirrorBudget): Service {
  return {
    call(head, response) {
      // Of a conversation there is no copy: the other side would have to answer it.
      if (head.upgrade !== undefined || Math.random() >= target.share) return inner.call(head, response)
      if (!budget.tryTake(target.name)) return inner.call(head, response)
      const copy = new MirrorCall(target.name, budget)
      const call = new MirroredCall(response, copy)
      // The copy of the head first: layers below change the fields in place.
      const copied = copyOf(head)
      call.handler = inner.call(head, call)
      copy.start(target.service, copied)
      return call
    },
  }
}

const copyOf = (head: RequestHead): RequestHead => ({
  ...head,
  fields: [...head.fields],
  notes: { ...head.notes, tried: undefined, pinned: undefined, deadlineAt: 0 },
})

/** The request itself. Everything that it hears is told to the copy too. */
class MirroredCall extends WatchedResponse implements RequestHandler {
  readonly #copy: MirrorCall
  handler: RequestHandler | undefined

  constructor(next: ResponseHandler, copy: MirrorCall) {
    super(next)
    this.#copy = copy
  }

  /** Nobody sends the rest of a body whose answer has ended: the copy would wait for it. */
  protected override ended(): void {
    this.#copy.abandon()
  }
  data(chunk: Buffer): void {
    this.handler?.data(chunk)
    this.#copy.data(chunk)
  }
  end(trailers: Fields | undefined): void {
    this.#copy.end(trailers === undefined ? undefined : [...trailers])
    this.handler?.end(trailers)
  }
  cancel(error: MeshError): void {
    this.handler?.cancel(error)
  }
  pause(): void {
    this.handler?.pause()
  }
  resume(): void {
    this.handler?.resume()
  }
}

/** The copy: takes the request, and is deaf to its own answer. */
class MirrorCall implements ResponseHandler {
  readonly #name: string
  readonly #budget: MirrorBudget
  #handler: RequestHandler | undefined
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #isPaused = true
  #isEnded = false
  #trailers: Fields | undefined
  #isOver = false

  constructor(name: string, budget: MirrorBudget) {
    this.#name = name
    this.#budget = budget
  }

  start(service: Service, head: RequestHead): void {
    if (this.#isOver) return
    try {
      this.#handler = service.call(head, this)
    } catch {
      this.#over('failed')
      return
    }
    this.onResume()
  }

  data(chunk: Buffer): void {
    if (this.#isOver) return
    if (!this.#isPaused) {
      this.#handler?.data(chunk)
      return
    }
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes > MAX_WAITING_BYTES)
      this.#giveUp(new MeshError('overloaded', 'expected a mirror that keeps up with the request'))
  }

  end(trailers: Fields | undefined): void {
    this.#isEnded = true
    this.#trailers = trailers
    if (!this.#isPaused) this.#handler?.end(trailers)
  }

  abandon(): void {
    if (!this.#isEnded) this.#giveUp(new MeshError('cancelled', 'the request that is mirrored has ended'))
  }

  onInterim(): void {}
  onHead(): void {}
  onData(): void {}
  onEnd(): void {
    this.#over('answered')
  }
  onFail(): void {
    this.#over('failed')
  }
  onPause(): void {
    this.#isPaused = true
  }
  onResume(): void {
    if (!this.#isPaused || this.#handler === undefined) return
    this.#isPaused = false
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const chunk of waiting) this.data(chunk)
    if (this.#isEnded && !this.#isPaused) this.#handler.end(this.#trailers)
  }

  #giveUp(error: MeshError): void {
    if (this.#isOver) return
    this.#handler?.cancel(error)
    this.#over('failed')
  }

  #over(outcome: MirrorOutcome): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#waiting = []
    this.#budget.giveBack(this.#name, outcome)
  }
}
