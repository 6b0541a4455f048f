/** What holds for every publishing request: its limits, and what its head may say. */
import { isBatch } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { TopicEntry } from '@weft/schemas/snapshot'

/** How long the broker may take to acknowledge, unless `weft-timeout-ms` says otherwise. */
const DEFAULT_TIMEOUT_MS = 10_000
export const MAX_TIMEOUT_MS = 60_000
/** What the sidecar's own headers take: nobody's event is refused for them. */
const RECORD_ALLOWANCE = 1_024
/** A batch is in memory as a whole, as bytes and as what was parsed of them. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024

/** A record has no place for a coding: a consumer would get bytes that it cannot read. */
export function checkCoding(coding: string | undefined): void {
  if (coding !== undefined && coding !== 'identity')
    throw new MeshError(
      'unsupported_media_type',
      `expected a body without Content-Encoding, came ${JSON.stringify(coding.slice(0, 40))}`,
    )
}

export function checkBatchType(contentType: string | undefined): void {
  if (isBatch(contentType)) return
  throw new MeshError(
    'unsupported_media_type',
    `expected application/cloudevents-batch+json, came ${JSON.stringify((contentType ?? '').slice(0, 80))}`,
  )
}

/** `bytes`: of the record with key and headers; `which` names it in the message. */
export function checkRecordSize(bytes: number, which: string, { name, maxMessageBytes }: TopicEntry): void {
  if (bytes <= maxMessageBytes + RECORD_ALLOWANCE) return
  throw new MeshError(
    'event_too_large',
    `topic ${name} takes records up to ${maxMessageBytes} bytes, ${which} has ${bytes} with key and headers`,
    { target: name },
  )
}

/** Milliseconds that the broker may take. Throws `invalid_event`. */
export function timeoutOf(raw: string | undefined): number {
  if (raw === undefined) return DEFAULT_TIMEOUT_MS
  const value = /^\d{1,6}$/.test(raw) ? Number(raw) : 0
  if (value >= 1 && value <= MAX_TIMEOUT_MS) return value
  throw new MeshError(
    'invalid_event',
    `weft-timeout-ms: expected milliseconds from 1 to ${MAX_TIMEOUT_MS}, came ${JSON.stringify(raw.slice(0, 20))}`,
  )
}
