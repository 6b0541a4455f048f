/** Asks the one policy whether this caller may do this here. What it refuses never reaches the app. */
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import {
  type Decision,
  decide,
  type HttpAction,
  type Permits,
  permitsOf,
  type Subject,
} from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource } from '@weft/schemas/snapshot'
import { parseTraceparent } from '@weft/schemas/trace-context'
import type { RequestHandler, RequestHead, ResponseHandler, Service } from '../transport/exchange.ts'
import { Tunnels } from './tunnels.ts'

type Callee = Pick<HttpAction, 'resource' | 'service' | 'namespace'>

export interface AuthorizeOptions {
  readonly snapshots: SnapshotSource
  readonly metrics: Metrics
  readonly log: Log
  /** Of what callers ask for something here. Throws MeshError where there is nothing. */
  readonly targetOf: (now: IndexedSnapshot) => Callee
}

export function authorize(inner: Service, { snapshots, metrics, log, targetOf }: AuthorizeOptions): Service {
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

  const callers = new KnownCallers()
  const tunnels = new Tunnels()
  snapshots.onChange((now) => tunnels.keepOnly((head) => isStillAllowed(head, now, targetOf)))
  const goOn = (head: RequestHead, response: ResponseHandler): RequestHandler =>
    head.upgrade === undefined ? inner.call(head, response) : tunnels.call(inner, head, response)

  return {
    call(head, response) {
      const now = snapshots.current()
      const target = targetOf(now)
      head.notes.service = target.service
      // A token is of one request: what its claims allow is not prepared.
      const permits =
        head.notes.token === undefined ? callers.permits(now, target, head.peer.subject) : undefined
      if (permits?.covers(head.method, pathOf(head.target)) === true) return goOn(head, response)
      const action = actionOf(head, target)
      const decided = decide(now.policies, callerOf(head), action)
      if (!decided.allowed) refuse(head, action, decided)
      if (decided.audited !== undefined) count(head, decided.audited, 'audit')
      return goOn(head, response)
    },
  }
}

/** Where what it was for is gone, there is nothing left that could allow it. */
function isStillAllowed(
  head: RequestHead,
  now: IndexedSnapshot,
  targetOf: AuthorizeOptions['targetOf'],
): boolean {
  try {
    return decide(now.policies, callerOf(head), actionOf(head, targetOf(now))).allowed
  } catch (error) {
    if (error instanceof MeshError) return false
    throw error
  }
}

function actionOf(head: RequestHead, callee: Callee): HttpAction {
  return { protocol: 'http', ...callee, method: head.method, path: pathOf(head.target) }
}

function callerOf({ peer, notes: { token } }: RequestHead): Subject {
  return token === undefined ? peer.subject : { ...peer.subject, token }
}

/** What the callers of this snapshot may do; there is one Subject per connection, and it goes with it. */
class KnownCallers {
  #snapshot: IndexedSnapshot | undefined
  #permits = new WeakMap<Subject, Permits>()

  permits(snapshot: IndexedSnapshot, callee: Callee, caller: Subject): Permits {
    if (snapshot !== this.#snapshot) {
      this.#snapshot = snapshot
      this.#permits = new WeakMap()
    }
    let permits = this.#permits.get(caller)
    if (permits === undefined) {
      permits = permitsOf(snapshot.policies, caller, callee)
      this.#permits.set(caller, permits)
    }
    return permits
  }
}

/** Without the query: rules are about paths. The bytes that are forwarded stay as they came. */
function pathOf(target: string): string {
  const query = target.indexOf('?')
  return query === -1 ? target : target.slice(0, query)
}

const accountOf = ({ peer }: RequestHead): string => peer.id?.serviceAccount ?? '-'
const nameOf = ({ peer }: RequestHead): string => peer.id?.uri ?? 'anonymous'
