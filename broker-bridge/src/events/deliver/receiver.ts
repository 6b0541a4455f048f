import type { SubscriptionEntry } from '@weft/schemas/snapshot'
import type { Answer } from './classify.ts'
import type { Gate } from './gate.ts'
import type { ReadRecord } from './record.ts'

/** One attempt of one record. */
export interface Attempt {
  readonly record: ReadRecord
  readonly settings: SubscriptionEntry
  /** From 1, over all topics that the record was in. */
  readonly attempt: number
  readonly traceparent: string
}

/** Who takes the records of a subscription: the app at a path of its own, or one that has come for them. */
export interface Receiver {
  readonly gate: Gate
  /** Never rejects. `refused`: nobody has seen the record; `aborted`: the signal came first. */
  take(attempt: Attempt, lost: AbortSignal): Promise<Answer>
}
