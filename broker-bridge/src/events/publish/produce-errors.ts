/** What a failed produce means for the events in it. Total: any thrown value is classified. */
import { MeshError } from '@weft/schemas/error'
import type { StoredAt } from './record.ts'

interface PartitionResponse {
  readonly index: number
  readonly errorCode: number
  readonly baseOffset: bigint
}
interface ProduceResponse {
  readonly responses?: readonly { readonly partitionResponses: readonly PartitionResponse[] }[]
}

/** Every error below a client error: it nests retries and destinations as AggregateErrors. */
function* tree(error: unknown): Generator<Record<string, unknown>> {
  if (typeof error !== 'object' || error === null) return
  yield error as Record<string, unknown>
  const { errors, cause } = error as { errors?: unknown; cause?: unknown }
  if (Array.isArray(errors)) for (const inner of errors) yield* tree(inner)
  if (cause !== undefined) yield* tree(cause)
}

/** Partitions that a failed send has stored nevertheless, with their base offsets: what was written must not be written again. */
export function storedDespite(error: unknown): ReadonlyMap<number, bigint> {
  const stored = new Map<number, bigint>()
  for (const each of tree(error)) {
    for (const topic of (each.response as ProduceResponse | undefined)?.responses ?? [])
      for (const { index, errorCode, baseOffset } of topic.partitionResponses ?? [])
        if (errorCode === 0 && baseOffset >= 0n) stored.set(index, baseOffset)
    const produced = each.produced as { readonly offsets?: readonly StoredAt[] } | undefined
    for (const { partition, offset } of produced?.offsets ?? []) stored.set(partition, offset)
  }
  return stored
}

const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
const REFUSED_BY_ACL = new Set(['TOPIC_AUTHORIZATION_FAILED', 'CLUSTER_AUTHORIZATION_FAILED'])
const INVALID = new Set(['INVALID_RECORD', 'INVALID_TIMESTAMP', 'POLICY_VIOLATION'])

/** The error that the publishers of the batch get. */
export function produceError(error: unknown, topic: string): MeshError {
  if (error instanceof MeshError) return error
  for (const each of tree(error)) {
    const id = typeof each.apiId === 'string' ? each.apiId : ''
    const said = typeof each.serverErrorMessage === 'string' ? `: ${each.serverErrorMessage}` : ''
    if (TOO_LARGE.has(id))
      return new MeshError(
        'event_too_large',
        `the broker takes no record of this size in topic ${topic}${said}`,
        { cause: error },
      )
    if (REFUSED_BY_ACL.has(id))
      return new MeshError(
        'permission_denied',
        `the broker's own ACLs refuse this identity to produce to topic ${topic}`,
        {
          target: topic,
          cause: error,
        },
      )
    if (INVALID.has(id))
      return new MeshError('invalid_event', `the broker refuses the record in topic ${topic}${said}`, {
        cause: error,
      })
  }
  return brokerUnavailable(topic, error)
}

export function brokerUnavailable(topic: string, cause?: unknown): MeshError {
  const why = cause instanceof Error ? `: ${innermost(cause)}` : ''
  return new MeshError('broker_unavailable', `no acknowledgement for topic ${topic}${why}`, { cause })
}

/** The last line of a nested error says what happened (`connect ECONNREFUSED 127.0.0.1:9092`). */
function innermost(error: Error): string {
  let message = error.message
  for (const each of tree(error)) if (each instanceof Error && each.message !== '') message = each.message
  return message.slice(0, 200)
}
