import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import {
  type Decision,
  decide,
  type KafkaAction,
  type KafkaOperation,
  mayProduceSomewhere,
  subjectOf,
} from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource } from '@weft/schemas/snapshot'
import { BoundedNames, MAX_NAME_LENGTH } from './bounded-names.ts'

/** Clients choose the names that are asked about: a bound, not a working size. */
const MAX_REMEMBERED = 10_000

export type Resource = KafkaAction['resource']

/**
 * Asks the one policy for this sidecar's workload. Decisions are remembered as long as snapshot and identity are the
 * same objects, so a new policy holds from the next question on.
 */
export class Access {
  readonly #options: { snapshots: SnapshotSource; identity: IdentitySource; metrics: Metrics; log: Log }
  readonly #targets = new BoundedNames()
  #snapshot: IndexedSnapshot | undefined
  #subject: ReturnType<typeof subjectOf> | undefined
  #uri = ''
  readonly #decisions = new Map<string, Decision>()

  constructor(options: { snapshots: SnapshotSource; identity: IdentitySource; metrics: Metrics; log: Log }) {
    this.#options = options
  }

  /** The service account that metrics speak of. */
  get serviceAccount(): string {
    return this.#options.identity.current().spiffeId.serviceAccount
  }

  /** Changes whenever an answer might: what was permitted under one epoch is permitted as long as it lasts. */
  get epoch(): unknown {
    return this.#options.snapshots.current()
  }

  /** May the workload do this? A refusal is logged and counted. */
  allows(resource: Resource, name: string, operation: KafkaOperation, group?: string): boolean {
    const decision = this.#decide(resource, name, operation, group)
    if (!decision.allowed || decision.audited !== undefined) this.#report(resource, name, operation, decision)
    return decision.allowed
  }

  /** May the workload do this? For what is hidden rather than refused: nothing is logged. */
  sees(resource: Resource, name: string, operation: KafkaOperation): boolean {
    return this.#decide(resource, name, operation).allowed
  }

  /** May the workload produce to some topic, whichever? Nothing is logged: it is asked before a topic is named. */
  mayProduceSomewhere(): boolean {
    const { spiffeId } = this.#options.identity.current()
    return mayProduceSomewhere(this.#options.snapshots.current().policies, subjectOf(spiffeId))
  }

  #decide(resource: Resource, name: string, operation: KafkaOperation, group?: string): Decision {
    const snapshot = this.#options.snapshots.current()
    const { spiffeId } = this.#options.identity.current()
    if (snapshot !== this.#snapshot || spiffeId.uri !== this.#uri || this.#decisions.size > MAX_REMEMBERED) {
      this.#snapshot = snapshot
      this.#subject = subjectOf(spiffeId)
      this.#uri = spiffeId.uri
      this.#decisions.clear()
    }
    const key = `${resource} ${operation} ${group ?? ''} ${name}`
    let decision = this.#decisions.get(key)
    if (decision === undefined) {
      const subject = this.#subject ?? subjectOf(spiffeId)
      decision = decide(snapshot.policies, subject, {
        protocol: 'kafka',
        resource,
        name,
        operation,
        ...(group !== undefined && { group }),
      })
      // What is remembered is bounded in bytes too: a client may ask about names of 32 KB.
      if (key.length <= 2 * MAX_NAME_LENGTH) this.#decisions.set(key, decision)
    }
    return decision
  }

  #report(resource: Resource, name: string, operation: KafkaOperation, decision: Decision): void {
    const mode = decision.allowed ? 'audit' : 'enforce'
    const policy = decision.audited ?? decision.policy
    const entry = {
      identity: this.#uri,
      action: operation,
      target: `${resource}/${name}`,
      policy,
      reason: decision.reason,
      mode,
    }
    this.#options.log.info(entry, decision.allowed ? 'would be refused by policy' : 'refused by policy')
    this.#options.metrics.counter('weft_policy_refused_total').inc({
      protocol: 'kafka',
      source: this.serviceAccount,
      target: this.#targets.label(`${resource}/${name}`),
      policy: policy ?? '-',
      mode,
    })
  }
}
