/** Asks the one policy whether this caller may do this here. What it refuses never reaches the app. */
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import { type Decision, decide, type HttpAction } from '@weft/schemas/policy'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import { parseTraceparent } from '@weft/schemas/trace-context'
import type { RequestHead, Service } from '../transport/exchange.ts'

export interface AuthorizeOptions {
  readonly snapshots: SnapshotSource
  readonly metrics: Metrics
  readonly log: Log
}

export function authorize(inner: Service, { snapshots, metrics, log }: AuthorizeOptions): Service {
  const refusals = metrics.counter('weft_policy_refused_total')

  const count = (head: RequestHead, policy: string, mode: 'enforce' | 'audit'): void =>
    refusals.inc({ protocol: 'http', source: accountOf(head), target: head.notes.service, policy, mode })

  const refuse = (head: RequestHead, action: HttpAction, decided: Decision): never => {
    const identity = nameOf(head)
    const target = `${action.namespace}/${action.service}`
    const policy = decided.policy ?? '-'
    head.notes.policy = policy
    count(head, policy, 'enforce')
    log.warn(
      {
        identity,
        action: `${action.method} ${action.path}`,
        target,
        policy,
        reason: decided.reason,
        traceId: parseTraceparent(head.notes.traceparent)?.traceId,
      },
      'refused by policy',
    )
    throw new MeshError('permission_denied', decided.explanation, {
      identity,
      target,
      ...(decided.policy !== undefined && { policy: decided.policy }),
    })
  }

  return {
    call(head, response) {
      const { snapshot, policies } = snapshots.current()
      const { service, namespace } = snapshot.workload
      if (service === undefined)
        throw new MeshError('unavailable', 'expected a Service that selects this workload; none does')
      head.notes.service = service
      const action: HttpAction = {
        protocol: 'http',
        service,
        namespace,
        method: head.method,
        path: pathOf(head.target),
      }
      const { token } = head.notes
      const subject = token === undefined ? head.peer.subject : { ...head.peer.subject, token }
      const decided = decide(policies, subject, action)
      if (!decided.allowed) refuse(head, action, decided)
      if (decided.audited !== undefined) count(head, decided.audited, 'audit')
      return inner.call(head, response)
    },
  }
}

/** Without the query: rules are about paths. The bytes that are forwarded stay as they came. */
function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

const accountOf = ({ peer }: RequestHead): string => peer.id?.serviceAccount ?? '-'
const nameOf = ({ peer }: RequestHead): string => peer.id?.uri ?? 'anonymous'
