/**
 * A record that waits in a topic of its own for its next attempt: as it was, and in `weft-retry-*` where it came from and what
 * became of it so far. The app and the dead letter see the record that it was.
 */
import type { HeaderField } from '@weft/schemas/cloudevents'
import { RETRY_HEADERS } from '@weft/schemas/record-headers'
import type { OutgoingRecord } from '../produce/record.ts'
import type { ReadRecord } from './record.ts'

/** What became of a record before. */
export interface History {
  readonly attempts: number
  readonly firstAttempt: Date
  /** Somebody has decided that it is not to be delivered: the record only says so. */
  readonly isDropped?: true
}

const WHOLE = /^[0-9]{1,19}$/

/** `history`: with the attempt that has just failed. */
export function toRetryLater(record: ReadRecord, history: History): OutgoingRecord {
  const about: readonly (readonly [string, string])[] = [
    ['topic', record.topic],
    ['partition', String(record.partition)],
    ['offset', String(record.offset)],
    ['timestamp', String(record.timestamp)],
    ['attempts', String(history.attempts)],
    ['first-attempt', history.firstAttempt.toISOString()],
  ]
  return {
    ...(record.key !== null && { key: record.key }),
    value: record.value,
    headers: [
      ...record.headers.filter(([name]) => !name.startsWith(RETRY_HEADERS)),
      ...about.map(([name, value]): HeaderField<string> => [RETRY_HEADERS + name, value]),
    ],
  }
}

/** The record that it was, and what became of it. Where the headers are not ours, or damaged, it is taken as it came. */
export function fromRetryLater(waiting: ReadRecord): {
  readonly record: ReadRecord
  readonly history: History
} {
  const about = new Map(
    waiting.headers
      .filter(([name]) => name.startsWith(RETRY_HEADERS))
      .map(([name, value]) => [name.slice(RETRY_HEADERS.length), Buffer.from(value).toString('latin1')]),
  )
  const number = (name: string): string | undefined => {
    const text = about.get(name) ?? ''
    return WHOLE.test(text) ? text : undefined
  }
  const [topic, partition, offset, timestamp] = [
    about.get('topic'),
    number('partition'),
    number('offset'),
    number('timestamp'),
  ]
  const firstAttempt = new Date(about.get('first-attempt') ?? '')
  const history: History = {
    attempts: Number(number('attempts') ?? 0),
    firstAttempt: Number.isNaN(firstAttempt.getTime()) ? new Date() : firstAttempt,
    ...(about.has('dropped') && { isDropped: true }),
  }
  if (topic === undefined || partition === undefined || offset === undefined || timestamp === undefined)
    return { record: waiting, history }
  const record: ReadRecord = {
    topic,
    partition: Number(partition),
    offset: BigInt(offset),
    timestamp: BigInt(timestamp),
    key: waiting.key,
    value: waiting.value,
    headers: waiting.headers.filter(([name]) => !name.startsWith(RETRY_HEADERS)),
  }
  return { record, history }
}
