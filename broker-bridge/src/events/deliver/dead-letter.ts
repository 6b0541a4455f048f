import type { HeaderField } from '@weft/schemas/cloudevents'
import { DEAD_LETTER_HEADERS } from '@weft/schemas/record-headers'
import type { OutgoingRecord } from '../produce/record.ts'
import type { ReadRecord } from './record.ts'

/** Why and when a record was given up. */
export interface Failure {
  readonly group: string
  readonly subscription: string
  readonly error: string
  readonly attempts: number
  readonly firstAttempt: Date
  readonly lastAttempt: Date
}

/** The record has to fit into its topic once more. */
const MAX_ERROR_LENGTH = 500

/**
 * The record as it was, key and headers included, with where it came from and why it is here in `weft-dlt-*`. Headers of an
 * earlier dead letter are replaced: the last failure is the one to look at.
 */
export function toDeadLetter(record: ReadRecord, failure: Failure): OutgoingRecord {
  const about: Record<string, string> = {
    topic: record.topic,
    partition: String(record.partition),
    offset: String(record.offset),
    timestamp: new Date(Number(record.timestamp)).toISOString(),
    group: failure.group,
    subscription: failure.subscription,
    error: failure.error.slice(0, MAX_ERROR_LENGTH),
    attempts: String(failure.attempts),
    'first-attempt': failure.firstAttempt.toISOString(),
    'last-attempt': failure.lastAttempt.toISOString(),
  }
  const original = record.headers.filter(([name]) => !name.startsWith(DEAD_LETTER_HEADERS))
  const added = Object.entries(about).map(
    ([name, value]): HeaderField<string> => [DEAD_LETTER_HEADERS + name, value],
  )
  return {
    ...(record.key !== null && { key: record.key }),
    value: record.value,
    headers: [...original, ...added],
  }
}
