/** For what a request is sent again: the conditions of its settings, compiled once for a target. */
import type { MeshError } from '@weft/schemas/error'
import type { RetryCondition, RetrySettings } from '@weft/schemas/snapshot'
import { isIdempotent, type Progress, type RequestHead, type ResponseHead } from '../transport/exchange.ts'
import { firstValue } from '../transport/fields.ts'

/** As it is counted: a condition, or `status-503`. */
export type RetryReason = RetryCondition | `status-${number}`

/** Each says the reason to send a request again, or undefined. */
export interface RetryConditions {
  ofAnswer(request: RequestHead, answer: ResponseHead): RetryReason | undefined
  ofFailure(request: RequestHead, error: MeshError, progress: Progress): RetryReason | undefined
}

/** google.rpc.Code of the conditions that gRPC has names for. */
const GRPC_CONDITIONS = new Map<string, RetryCondition>([
  ['1', 'cancelled'],
  ['4', 'deadline-exceeded'],
  ['8', 'resource-exhausted'],
  ['14', 'unavailable'],
])

/** `ruleStatuses` are those of a rule of a route (GEP-1731): repeated for any method, in place of the settings' own. */
export function retryConditions(
  settings: Pick<RetrySettings, 'on' | 'statuses'>,
  ruleStatuses: readonly number[] = [],
): RetryConditions {
  const on = new Set(settings.on)
  const statuses = new Set(ruleStatuses.length > 0 ? [] : settings.statuses)
  const always = new Set(ruleStatuses)
  const looksAtGrpc = [...GRPC_CONDITIONS.values()].some((condition) => on.has(condition))
  const ifOn = (condition: RetryCondition): RetryCondition | undefined =>
    on.has(condition) ? condition : undefined

  return {
    ofAnswer({ method }, { status, fields }) {
      if (status < 400) {
        // Without a body, so in the head: RPCs whose status comes after messages have been handed on already.
        const code = looksAtGrpc ? firstValue(fields, 'grpc-status') : undefined
        const condition = code === undefined ? undefined : GRPC_CONDITIONS.get(code)
        return condition === undefined ? undefined : ifOn(condition)
      }
      if (always.has(status)) return `status-${status}`
      if (!isIdempotent(method)) return undefined
      if (statuses.has(status)) return `status-${status}`
      if (status >= 502 && status <= 504 && on.has('gateway-error')) return 'gateway-error'
      return status >= 500 ? ifOn('5xx') : undefined
    },
    ofFailure({ method, notes }, { code }, progress) {
      if (code === 'connect_failed' || code === 'peer_identity') return ifOn('connect-failure')
      if (code === 'upstream_reset') {
        if (progress === 'unsent') return ifOn('refused-stream') ?? ifOn('reset')
        return progress === 'unanswered' && isIdempotent(method) ? ifOn('reset') : undefined
      }
      const isLate = notes.deadlineAt !== 0 && performance.now() >= notes.deadlineAt
      if (code !== 'upstream_timeout' || isLate || progress === 'answered') return undefined
      return progress === 'unsent' || isIdempotent(method) ? ifOn('per-try-timeout') : undefined
    },
  }
}
