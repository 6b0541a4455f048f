import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import { type Decision, decide, subjectOf } from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource, TopicEntry } from '@weft/schemas/snapshot'
import type { SpiffeId } from '@weft/schemas/spiffe'
import type { EventSpan } from '../spans.ts'
import { PublishTally } from './tally.ts'

export interface TargetOptions {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
}

/** A topic as this workload sees it: built once per snapshot, asked with each request. */
export interface Target {
  readonly topic: TopicEntry
  readonly decision: Decision
  readonly tally: PublishTally
}

/** Topics that may be published to, under the snapshot and the identity of now. */
export class Targets {
  readonly #options: TargetOptions
  readonly #byTopic = new Map<string, Target>()
  #snapshot: IndexedSnapshot | undefined
  #identity: SpiffeId | undefined

  constructor(options: TargetOptions) {
    this.#options = options
  }

  /** Throws `unknown_topic`, or `permission_denied` with the policy that was asked. */
  permitted(name: string, span: EventSpan): Target {
    const snapshot = this.#options.snapshots.current()
    const { spiffeId } = this.#options.identity.current()
    if (snapshot !== this.#snapshot || spiffeId !== this.#identity) {
      this.#byTopic.clear()
      this.#snapshot = snapshot
      this.#identity = spiffeId
    }
    let target = this.#byTopic.get(name)
    if (target === undefined) {
      target = this.#build(name, snapshot, spiffeId)
      this.#byTopic.set(name, target)
    }
    const { decision } = target
    if (!decision.allowed || decision.audited !== undefined) this.#judge(target, spiffeId, span)
    return target
  }

  #build(name: string, snapshot: IndexedSnapshot, spiffeId: SpiffeId): Target {
    const topic = snapshot.topicByName.get(name)
    // Names that callers make up are not kept.
    if (topic === undefined)
      throw new MeshError('unknown_topic', `no Topic resource is called ${JSON.stringify(name)}`, {
        target: name,
      })
    const decision = decide(snapshot.policies, subjectOf(spiffeId), {
      protocol: 'kafka',
      resource: 'topic',
      name,
      operation: 'produce',
    })
    return { topic, decision, tally: new PublishTally(this.#options.metrics, spiffeId.serviceAccount, name) }
  }

  #judge({ topic, decision, tally }: Target, spiffeId: SpiffeId, span: EventSpan): void {
    const { log, metrics } = this.#options
    const target = topic.name
    const refused = (policy: string, mode: 'enforce' | 'audit') => {
      const { traceId } = span.context
      const { reason } = decision
      log.warn(
        { identity: spiffeId.uri, action: 'produce', target, policy, reason, mode, traceId },
        'refused by policy',
      )
      metrics
        .counter('weft_policy_refused_total')
        .inc({ protocol: 'kafka', source: spiffeId.serviceAccount, target, policy, mode })
    }
    if (decision.audited !== undefined) refused(decision.audited, 'audit')
    if (decision.allowed) return
    refused(decision.policy ?? '-', 'enforce')
    tally.refused()
    span.set({ 'weft.policy': decision.policy ?? '-' })
    throw new MeshError('permission_denied', decision.explanation, {
      identity: spiffeId.uri,
      target,
      ...(decision.policy !== undefined && { policy: decision.policy }),
    })
  }
}
