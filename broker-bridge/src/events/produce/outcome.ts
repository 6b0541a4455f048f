/** What a broker's answer means for a batch (org.apache.kafka.common.protocol.Errors), for an idempotent producer. */
import { MeshError } from '@weft/schemas/error'

export type Outcome =
  | { readonly kind: 'stored'; readonly baseOffset: bigint }
  /** The same batch, with the same sequence, is to be sent again. */
  | {
      readonly kind: 'again'
      readonly reason: string
      /** The broker may have stored it: only the same sequence tells. */
      readonly maybeStored: boolean
      /** Another broker leads the partition now, or will. */
      readonly needsLeader: boolean
    }
  /** Not stored; the broker does not know these sequences: to be sent under a new epoch. */
  | { readonly kind: 'renumber' }
  /** Not stored, and never will be. `alone`: one record of the batch is at fault. */
  | { readonly kind: 'refused'; readonly error: MeshError; readonly alone: boolean }

/** The connection ended before the answer. */
export const LOST: Outcome = {
  kind: 'again',
  reason: 'the connection to the broker was lost',
  maybeStored: true,
  needsLeader: true,
}

const STORED_NONE = 0

interface Again {
  readonly name: string
  readonly maybeStored?: true
  readonly needsLeader?: true
}

const AGAIN: ReadonlyMap<number, Again> = new Map([
  [2, { name: 'CORRUPT_MESSAGE' }],
  [3, { name: 'UNKNOWN_TOPIC_OR_PARTITION', needsLeader: true }],
  [5, { name: 'LEADER_NOT_AVAILABLE', needsLeader: true }],
  [6, { name: 'NOT_LEADER_OR_FOLLOWER', needsLeader: true }],
  [7, { name: 'REQUEST_TIMED_OUT', maybeStored: true }],
  [13, { name: 'NETWORK_EXCEPTION', maybeStored: true, needsLeader: true }],
  [19, { name: 'NOT_ENOUGH_REPLICAS' }],
  [20, { name: 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', maybeStored: true }],
  [56, { name: 'KAFKA_STORAGE_ERROR', maybeStored: true, needsLeader: true }],
  [74, { name: 'FENCED_LEADER_EPOCH', needsLeader: true }],
  [76, { name: 'UNKNOWN_LEADER_EPOCH', needsLeader: true }],
  [89, { name: 'THROTTLING_QUOTA_EXCEEDED' }],
])

/** OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID, PRODUCER_FENCED. */
const RENUMBER = new Set([45, 47, 59, 90])
/** MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE: the limit is on the batch. */
const TOO_LARGE = new Set([10, 18])
/** INVALID_TIMESTAMP, POLICY_VIOLATION, INVALID_RECORD. */
const INVALID = new Set([32, 44, 87])
/** TOPIC_, CLUSTER_ and TRANSACTIONAL_ID_AUTHORIZATION_FAILED. */
export const REFUSED_BY_ACL: ReadonlySet<number> = new Set([29, 31, 53])

/** Classifies one partition of a Produce answer. Total: a code that nobody here knows refuses the batch. */
export function outcomeOf(
  topic: string,
  answer: { readonly errorCode: number; readonly baseOffset: bigint; readonly errorMessage: string | null },
): Outcome {
  const { errorCode: code, baseOffset, errorMessage } = answer
  if (code === STORED_NONE) return { kind: 'stored', baseOffset }
  const again = AGAIN.get(code)
  if (again !== undefined) {
    const { name, maybeStored = false, needsLeader = false } = again
    return { kind: 'again', reason: name, maybeStored, needsLeader }
  }
  if (RENUMBER.has(code)) return { kind: 'renumber' }
  const said = errorMessage === null ? '' : `: ${errorMessage.slice(0, 200)}`
  if (TOO_LARGE.has(code))
    return refused(
      'event_too_large',
      `the broker takes no record of this size in topic ${topic}${said}`,
      topic,
      true,
    )
  if (INVALID.has(code))
    return refused('invalid_event', `the broker refuses the record in topic ${topic}${said}`, topic, true)
  if (REFUSED_BY_ACL.has(code))
    return refused(
      'permission_denied',
      `the broker's own ACLs refuse this identity to produce to topic ${topic}`,
      topic,
      false,
    )
  return refused(
    'broker_unavailable',
    `no acknowledgement for topic ${topic}: Kafka error ${code}${said}`,
    topic,
    false,
  )
}

function refused(
  code: 'event_too_large' | 'invalid_event' | 'permission_denied' | 'broker_unavailable',
  message: string,
  target: string,
  alone: boolean,
): Outcome {
  return { kind: 'refused', error: new MeshError(code, message, { target }), alone }
}

export function notAcknowledged(topic: string, why: string): MeshError {
  return new MeshError('broker_unavailable', `no acknowledgement for topic ${topic}: ${why}`, {
    target: topic,
  })
}
