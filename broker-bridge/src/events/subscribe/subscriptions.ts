/**
 * Keeps what runs equal to what the snapshot says: subscriptions come, change and go at run time, and so does the right to
 * consume. A subscription runs while the mesh has a cluster, the policy allows topic and group, and the app has been seen.
 */
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import { type Decision, decide, subjectOf } from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource, SubscriptionEntry } from '@weft/schemas/snapshot'
import type { DeliverContext } from '../deliver/deliver.ts'
import type { KafkaConnection } from '../kafka-connection.ts'
import { type Branch, branchesOf, Subscription } from './subscription.ts'

export interface SubscriptionsOptions {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly connection: () => KafkaConnection | undefined
  readonly clientId: string
  readonly deliver: DeliverContext
  readonly metrics: Metrics
  readonly log: Log
}

/** A subscription that is removed or refused gives its attempts under way this long. */
const STOP_LIMIT_MS = 5_000

interface Running {
  readonly subscription: Subscription
  readonly connectionName: string
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #running = new Map<string, Running>()
  /** Why a subscription does not run, so that the same refusal is not logged with every snapshot. */
  readonly #refused = new Map<string, string>()
  readonly #stops = new Set<Promise<void>>()
  readonly #ends: (() => void)[]
  #stopped = false

  constructor(options: SubscriptionsOptions) {
    this.#options = options
    this.#ends = [
      options.snapshots.onChange(() => this.#reconcile()),
      options.deliver.gate.onOpen(() => this.#reconcile()),
      options.identity.onRotate(() => {
        for (const { subscription } of this.#running.values()) subscription.renewConnections()
      }),
    ]
    this.#reconcile()
  }

  /** Ends all of them, in the order that Subscription says. */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopped = true
    for (const end of this.#ends) end()
    for (const key of [...this.#running.keys()]) this.#end(key, deadlineMs)
    await Promise.all(this.#stops)
  }

  #reconcile(): void {
    if (this.#stopped) return
    const { snapshots, connection: connectionOf, deliver } = this.#options
    const now = snapshots.current()
    const connection = connectionOf()
    const wanted = new Map(
      now.snapshot.subscriptions.flatMap((entry) =>
        branchesOf(entry).map((branch) => [keyOf(entry, branch), { entry, branch }] as const),
      ),
    )
    for (const [key, { connectionName }] of [...this.#running]) {
      const entry = wanted.get(key)?.entry
      const stays = entry !== undefined && connection?.name === connectionName && this.#mayConsume(now, entry)
      if (!stays) this.#end(key, STOP_LIMIT_MS)
    }
    for (const key of [...this.#refused.keys()]) if (!wanted.has(key)) this.#refused.delete(key)
    for (const [key, { entry, branch }] of wanted) {
      const running = this.#running.get(key)
      if (running !== undefined) running.subscription.update(entry)
      // Joining before the app is there would take partitions from instances that can serve them.
      else if (connection !== undefined && deliver.gate.isOpen && this.#mayConsume(now, entry))
        this.#begin(key, { entry, branch }, connection)
    }
  }

  #begin(
    key: string,
    part: { readonly entry: SubscriptionEntry; readonly branch: Branch },
    connection: KafkaConnection,
  ): void {
    const { clientId, deliver, log } = this.#options
    const subscription = new Subscription({ ...part, clientId, connection, deliver, log })
    this.#running.set(key, { subscription, connectionName: connection.name })
  }

  #end(key: string, deadlineMs: number): void {
    const running = this.#running.get(key)
    if (running === undefined) return
    this.#running.delete(key)
    const stop = running.subscription
      .stop(deadlineMs)
      .catch((error: unknown) => this.#options.log.error({ error }, 'ending a subscription failed'))
      .finally(() => this.#stops.delete(stop))
    this.#stops.add(stop)
  }

  /** Of its own topic, whichever it is read from. The group is asked too: the same two questions that a Kafka client's join and fetch would be. */
  #mayConsume(now: IndexedSnapshot, entry: SubscriptionEntry): boolean {
    const { topic, group } = entry
    const subject = subjectOf(this.#options.identity.current().spiffeId)
    const ask = (resource: 'topic' | 'group', name: string): Decision =>
      decide(now.policies, subject, {
        protocol: 'kafka',
        resource,
        name,
        operation: 'consume',
        ...(resource === 'topic' && { group }),
      })
    const refusal = [ask('topic', topic), ask('group', group)].find((decision) => !decision.allowed)
    const key = keyOf(entry)
    if (refusal === undefined) {
      this.#refused.delete(key)
      return true
    }
    if (this.#refused.get(key) !== refusal.explanation) this.#report(entry, refusal)
    this.#refused.set(key, refusal.explanation)
    return false
  }

  #report(entry: SubscriptionEntry, { policy = '-', reason }: Decision): void {
    const { identity, metrics, log } = this.#options
    const { uri, serviceAccount } = identity.current().spiffeId
    const { topic, group, name } = entry
    log.warn(
      { identity: uri, action: 'consume', target: topic, group, subscription: name, policy, reason },
      'refused by policy',
    )
    metrics
      .counter('weft_policy_refused_total')
      .inc({ protocol: 'kafka', source: serviceAccount, target: topic, policy, mode: 'enforce' })
    metrics
      .counter('weft_kafka_records_total')
      .inc({ operation: 'consume', mode: 'push', identity: serviceAccount, topic, group, outcome: 'refused' })
  }
}

/** Other settings are changed in place; another topic or group is another subscription. */
const keyOf = (entry: SubscriptionEntry, branch: Pick<Branch, 'topic'> = entry): string =>
  [entry.name, entry.topic, entry.group, branch.topic].join('\n')
