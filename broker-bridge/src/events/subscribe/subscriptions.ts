/**
 * Keeps what runs equal to what the snapshot says: subscriptions come, change and go at run time, and so does the right to
 * consume. A subscription runs while the mesh has a cluster, the policy allows topic and group, and the app has been seen.
 */
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Decision } from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource, SubscriptionEntry } from '@weft/schemas/snapshot'
import type { DeliverContext } from '../deliver/deliver.ts'
import type { Receiver } from '../deliver/receiver.ts'
import type { KafkaConnection } from '../kafka-connection.ts'
import { refusalOf } from './may-consume.ts'
import { type Branch, branchesOf, Subscription } from './subscription.ts'

/** Who takes the records of a subscription. */
export interface Attendance {
  readonly receiver: Receiver
  /** Joining before the app is there would take partitions from instances that can serve them. */
  readonly mayJoin: boolean
  /** False where nobody is there any more: the subscription leaves its group to those who can. */
  readonly mayStay: boolean
}

export interface SubscriptionsOptions {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly connection: () => KafkaConnection | undefined
  readonly clientId: string
  readonly deliver: Omit<DeliverContext, 'receiver'>
  /** Undefined where nobody ever will take them. */
  readonly attendanceOf: (entry: SubscriptionEntry) => Attendance | undefined
  /** Each takes what is to run when an attendance may have changed, and returns the function that ends it. */
  readonly onAttendance: readonly ((listener: () => void) => () => void)[]
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
      ...options.onAttendance.map((listen) => listen(() => this.#reconcile())),
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
    const { snapshots, connection: connectionOf, attendanceOf } = this.#options
    const now = snapshots.current()
    const connection = connectionOf()
    const wanted = new Map(
      now.snapshot.subscriptions.flatMap((entry) =>
        branchesOf(entry).map((branch) => [keyOf(entry, branch), { entry, branch }] as const),
      ),
    )
    for (const [key, { connectionName }] of [...this.#running]) {
      const entry = wanted.get(key)?.entry
      const stays =
        entry !== undefined &&
        connection?.name === connectionName &&
        attendanceOf(entry)?.mayStay === true &&
        this.#mayConsume(now, entry)
      if (!stays) this.#end(key, STOP_LIMIT_MS)
    }
    for (const key of [...this.#refused.keys()]) if (!wanted.has(key)) this.#refused.delete(key)
    for (const [key, { entry, branch }] of wanted) {
      const running = this.#running.get(key)
      if (running !== undefined) {
        running.subscription.update(entry)
        continue
      }
      const attendance = attendanceOf(entry)
      if (connection !== undefined && attendance?.mayJoin === true && this.#mayConsume(now, entry))
        this.#begin(key, { entry, branch, receiver: attendance.receiver }, connection)
    }
  }

  #begin(
    key: string,
    { receiver, ...part }: { entry: SubscriptionEntry; branch: Branch; receiver: Receiver },
    connection: KafkaConnection,
  ): void {
    const { clientId, deliver } = this.#options
    const { log } = deliver
    const context = { ...deliver, receiver }
    const subscription = new Subscription({ ...part, clientId, connection, deliver: context, log })
    this.#running.set(key, { subscription, connectionName: connection.name })
  }

  #end(key: string, deadlineMs: number): void {
    const running = this.#running.get(key)
    if (running === undefined) return
    this.#running.delete(key)
    const stop = running.subscription
      .stop(deadlineMs)
      .catch((error: unknown) => this.#options.deliver.log.error({ error }, 'ending a subscription failed'))
      .finally(() => this.#stops.delete(stop))
    this.#stops.add(stop)
  }

  #mayConsume(now: IndexedSnapshot, entry: SubscriptionEntry): boolean {
    const refusal = refusalOf(this.#options.identity, now, entry)
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
    const { identity } = this.#options
    const { metrics, log } = this.#options.deliver
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

/** Other settings are changed in place; another topic, group or receiver is another subscription. */
const keyOf = (entry: SubscriptionEntry, branch: Pick<Branch, 'topic'> = entry): string =>
  [entry.name, entry.topic, entry.group, branch.topic, entry.path === undefined ? 'stream' : 'path'].join(
    '\n',
  )
