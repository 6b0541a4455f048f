/** A dead letter as a person looks at it, and the record by which it is sent back or dropped. */
import { DEAD_LETTER_HEADERS, RETRY_HEADERS } from '@weft/schemas/record-headers'
import type { StoredRecord } from './read-topic.ts'

export interface Letter {
  /** `partition/offset` in the dead-letter topic. */
  readonly id: string
  /** As text, where it is text; else in base64 after `base64:`. null: the record has none. */
  readonly key: string | null
  readonly bytes: number
  /** Where the record was that could not be delivered, `-` where its headers do not say. */
  readonly from: { readonly topic: string; readonly partition: string; readonly offset: string }
  readonly error: string
  readonly attempts: string
  readonly firstAttempt: string
  readonly lastAttempt: string
}

export interface WholeLetter extends Letter {
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** null: a tombstone. */
  readonly value: string | null
}

export const letterId = ({ partition, offset }: Pick<StoredRecord, 'partition' | 'offset'>): string =>
  `${partition}/${offset}`

export function letterOf(record: StoredRecord): Letter {
  const about = (name: string): string => headerOf(record, DEAD_LETTER_HEADERS + name) ?? '-'
  return {
    id: letterId(record),
    key: textOf(record.key),
    bytes: record.value?.length ?? 0,
    from: { topic: about('topic'), partition: about('partition'), offset: about('offset') },
    error: about('error'),
    attempts: about('attempts'),
    firstAttempt: about('first-attempt'),
    lastAttempt: about('last-attempt'),
  }
}

export const wholeLetterOf = (record: StoredRecord): WholeLetter => ({
  ...letterOf(record),
  headers: record.headers
    .filter(([name]) => !name.startsWith(DEAD_LETTER_HEADERS))
    .map(([name, value]) => [name, textOf(value) ?? '']),
  value: textOf(record.value),
})

export interface Decision {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyMap<string, Buffer>
}

/** The record as it was, with where it came from in the headers that the sidecar reads back. */
export function redriven(letter: StoredRecord): Decision {
  const from = { topic: 'topic', partition: 'partition', offset: 'offset' } as const
  const origin = Object.entries(from).flatMap(([name, about]): [string, string][] => {
    const value = headerOf(letter, DEAD_LETTER_HEADERS + about)
    return value === undefined ? [] : [[RETRY_HEADERS + name, value]]
  })
  const writtenAt = Date.parse(headerOf(letter, `${DEAD_LETTER_HEADERS}timestamp`) ?? '')
  if (!Number.isNaN(writtenAt)) origin.push([`${RETRY_HEADERS}timestamp`, String(writtenAt)])
  return {
    key: letter.key,
    value: letter.value,
    headers: new Map([
      ...letter.headers.filter(([name]) => !name.startsWith(DEAD_LETTER_HEADERS)),
      ...[...origin, [`${RETRY_HEADERS}of`, letterId(letter)] as const].map(
        ([name, value]): [string, Buffer] => [name, Buffer.from(value)],
      ),
    ]),
  }
}

/** Says that the letter is dealt with; the sidecar delivers nothing of it. */
export const dropped = (letter: StoredRecord): Decision => ({
  key: letter.key,
  value: null,
  headers: new Map([
    [`${RETRY_HEADERS}of`, Buffer.from(letterId(letter))],
    [`${RETRY_HEADERS}dropped`, Buffer.from('true')],
  ]),
})

/** The letter that a record of the redrive topic is about. */
export const decidedLetter = (record: StoredRecord): string | undefined =>
  headerOf(record, `${RETRY_HEADERS}of`)

const headerOf = ({ headers }: StoredRecord, name: string): string | undefined =>
  headers.findLast(([known]) => known === name)?.[1].toString('utf8')

function textOf(bytes: Buffer | null): string | null {
  if (bytes === null) return null
  const text = bytes.toString('utf8')
  return Buffer.from(text, 'utf8').equals(bytes) ? text : `base64:${bytes.toString('base64')}`
}
