/** Deliveries to who has come for them: each open stream takes as many as it has asked for, and settles them one by one. */
import type { Answer } from '../deliver/classify.ts'
import { Gate } from '../deliver/gate.ts'
import type { Attempt, Receiver } from '../deliver/receiver.ts'

/** The other end of a stream, as the receiver sees it. */
export interface Stream {
  /** Writes one delivery; `delivery` names it in its settlement. */
  deliver(delivery: bigint, attempt: Attempt): void
  /** Nothing more is expected of a delivery: it was settled, given up, or taken away. */
  closed?(delivery: bigint): void
}

/** An app that comes again within this time finds the subscription still in its group. */
const LINGER_MS = 5_000

export class StreamReceiver implements Receiver {
  readonly #takers = new Set<Taker>()
  readonly gate = new RoomGate(this.#takers)
  readonly #onLeft: () => void
  #linger: NodeJS.Timeout | undefined

  /** `onLeft` runs when nobody has been here for a while. */
  constructor(onLeft: () => void) {
    this.#onLeft = onLeft
  }

  /** Somebody takes deliveries, or was here a moment ago. */
  get isAttended(): boolean {
    return this.#takers.size > 0 || this.#linger !== undefined
  }

  attach(stream: Stream): Taker {
    clearTimeout(this.#linger)
    this.#linger = undefined
    const taker = new Taker(stream, {
      onRoom: () => this.gate.open(),
      onDetached: () => this.#detached(taker),
    })
    this.#takers.add(taker)
    return taker
  }

  take(attempt: Attempt, lost: AbortSignal): Promise<Answer> {
    let best: Taker | undefined
    for (const taker of this.#takers) if (taker.room > (best?.room ?? 0)) best = taker
    if (best === undefined) return Promise.resolve({ kind: 'refused', message: 'nobody takes deliveries' })
    const answer = best.take(attempt, lost)
    this.gate.shut()
    return answer
  }

  close(): void {
    clearTimeout(this.#linger)
    this.gate.close()
  }

  #detached(taker: Taker): void {
    this.#takers.delete(taker)
    if (this.#takers.size > 0) return
    this.gate.shut()
    this.#linger = setTimeout(() => {
      this.#linger = undefined
      this.#onLeft()
    }, LINGER_MS)
    this.#linger.unref()
  }
}

/** Open while one of the streams takes more. What is found without room may have got some since: it stays open then. */
class RoomGate extends Gate {
  readonly #takers: ReadonlySet<Taker>

  constructor(takers: ReadonlySet<Taker>) {
    super()
    this.#takers = takers
  }

  override shut(): void {
    for (const taker of this.#takers) if (taker.room > 0) return
    super.shut()
  }
}

interface TakerEvents {
  onRoom(): void
  onDetached(): void
}

/** One stream's deliveries under way. */
export class Taker {
  readonly #stream: Stream
  readonly #events: TakerEvents
  readonly #open = new Map<bigint, (answer: Answer) => void>()
  #last = 0n
  #credits = 0
  #isPaused = false
  #isDetached = false

  constructor(stream: Stream, events: TakerEvents) {
    this.#stream = stream
    this.#events = events
  }

  /** How many more deliveries it takes now. */
  get room(): number {
    return this.#isPaused || this.#isDetached ? 0 : this.#credits
  }

  get credits(): number {
    return this.#credits
  }

  grant(credits: number): void {
    this.#credits += credits
    if (this.room > 0) this.#events.onRoom()
  }

  /** What was written is not read yet. */
  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    if (this.room > 0) this.#events.onRoom()
  }

  take(attempt: Attempt, lost: AbortSignal): Promise<Answer> {
    if (lost.aborted) return Promise.resolve({ kind: 'aborted' })
    const delivery = ++this.#last
    this.#credits--
    const { timeoutMs } = attempt.settings
    return new Promise((resolve) => {
      const settle = (answer: Answer): void => {
        this.#open.delete(delivery)
        clearTimeout(timer)
        lost.removeEventListener('abort', onLost)
        resolve(answer)
        this.#stream.closed?.(delivery)
      }
      const onLost = () => settle({ kind: 'aborted' })
      const timer = setTimeout(
        () => settle({ kind: 'timeout', message: `the app did not settle it within ${timeoutMs} ms` }),
        timeoutMs,
      )
      lost.addEventListener('abort', onLost, { once: true })
      this.#open.set(delivery, settle)
      this.#stream.deliver(delivery, attempt)
    })
  }

  /** False where it is not open (any more): it was too late, or its partition is another's. */
  settle(delivery: bigint, answer: Answer): boolean {
    const settle = this.#open.get(delivery)
    settle?.(answer)
    return settle !== undefined
  }

  /** Whether the number was ever given out. */
  hasDelivered(delivery: bigint): boolean {
    return delivery >= 1n && delivery <= this.#last
  }

  /** The stream is over: what was not settled was not dealt with. Idempotent. */
  detach(): void {
    if (this.#isDetached) return
    this.#isDetached = true
    for (const settle of [...this.#open.values()])
      settle({ kind: 'broken', message: 'the stream ended before the app settled it' })
    this.#events.onDetached()
  }
}
