import { createHash } from 'node:crypto'
import { MeshError } from '@weft/schemas/error'
import type { Answer } from './results.ts'

/** The first request with a key is to be done; later ones hear what became of it. */
export type Claim =
  | { readonly isFirst: true; readonly settle: (outcome: Answer | MeshError) => void }
  | { readonly isFirst: false }

type OnOutcome = (outcome: Answer | MeshError) => void

interface Entry {
  readonly digest: string
  readonly startedAt: number
  answer: Answer | undefined
  waiting: OnOutcome[]
}

/** A publisher that is not answered tries again within minutes, or never. */
const KEPT_MS = 600_000
/** At two hundred bytes each, two megabytes. */
const MAX_ENTRIES = 10_000

/**
 * Answers repeated requests with the answer of the first (the IETF's Idempotency-Key). What failed may be tried again. It is
 * kept in memory, the oldest are forgotten first: a repetition after a restart of the sidecar is stored again, and its event id tells.
 */
export class Idempotency {
  readonly #entries = new Map<string, Entry>()

  /** `onOutcome` is told the outcome of the first request with this key. Throws `invalid_event` where that one had another body. */
  claim(
    topic: string,
    request: { readonly key: string; readonly body: Uint8Array },
    onOutcome: OnOutcome,
  ): Claim {
    const name = `${topic} ${request.key}`
    const digest = createHash('sha256').update(request.body).digest('base64')
    const now = performance.now()
    const before = this.#entries.get(name)
    if (before !== undefined && now - before.startedAt < KEPT_MS) {
      if (before.digest !== digest)
        throw new MeshError(
          'invalid_event',
          'idempotency-key: expected the body that came first with this key',
        )
      if (before.answer === undefined) before.waiting.push(onOutcome)
      else onOutcome(before.answer)
      return { isFirst: false }
    }
    const entry: Entry = { digest, startedAt: now, answer: undefined, waiting: [] }
    // To the end of the map, which is in the order of age.
    this.#entries.delete(name)
    this.#entries.set(name, entry)
    this.#forgetOldest()
    return { isFirst: true, settle: (outcome) => this.#settle(name, entry, outcome) }
  }

  #settle(name: string, entry: Entry, outcome: Answer | MeshError): void {
    if (!(outcome instanceof MeshError)) entry.answer = outcome
    else if (this.#entries.get(name) === entry) this.#entries.delete(name)
    for (const onOutcome of entry.waiting.splice(0)) onOutcome(outcome)
  }

  #forgetOldest(): void {
    if (this.#entries.size <= MAX_ENTRIES) return
    const oldest = this.#entries.keys().next()
    if (oldest.done !== true) this.#entries.delete(oldest.value)
  }
}
