import { MeshError } from '@weft/schemas/error'
import type { Answer } from '../deliver/classify.ts'

export interface SettlementText {
  /** As the event had it. */
  readonly id: string
  readonly stream: string
  readonly delivery: bigint
  readonly answer: Answer
}

const ID = /^([A-Za-z0-9_-]{12})\.(\d{1,15})$/
const VERDICTS = {
  acknowledge: 'acknowledged',
  retry: 'retry',
  drop: 'dropped',
  'dead-letter': 'poison',
} as const
const MAX_RETRY_AFTER_MS = 300_000

/** Reads `[{"id", "action", "retryAfterMs"}]`. Throws MeshError `invalid_event` with the first fault. */
export function readSettlements(bytes: Buffer): readonly SettlementText[] {
  let all: unknown
  try {
    all = JSON.parse(bytes.toString('utf8'))
  } catch {
    throw fault('expected a JSON list of {"id", "action"}')
  }
  if (!Array.isArray(all)) throw fault('expected a JSON list of {"id", "action"}')
  return all.map((each: unknown, index) => read(each, `[${index}]`))
}

function read(each: unknown, at: string): SettlementText {
  if (typeof each !== 'object' || each === null) throw fault(`${at}: expected {"id", "action"}`)
  const { id, action, retryAfterMs } = each as Readonly<Record<string, unknown>>
  const [, stream, delivery] = ID.exec(typeof id === 'string' ? id : '') ?? []
  if (stream === undefined || delivery === undefined) throw fault(`${at}.id: expected the id of an event`)
  const verdict = typeof action === 'string' && Object.hasOwn(VERDICTS, action) ? action : undefined
  if (verdict === undefined) throw fault(`${at}.action: expected one of ${Object.keys(VERDICTS).join(', ')}`)
  if (retryAfterMs !== undefined && !isWait(retryAfterMs))
    throw fault(`${at}.retryAfterMs: expected milliseconds up to ${MAX_RETRY_AFTER_MS}`)
  return {
    id: `${stream}.${delivery}`,
    stream,
    delivery: BigInt(delivery),
    answer: {
      kind: 'settled',
      verdict: VERDICTS[verdict as keyof typeof VERDICTS],
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  }
}

const isWait = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_RETRY_AFTER_MS

const fault = (text: string): MeshError => new MeshError('invalid_event', text)
