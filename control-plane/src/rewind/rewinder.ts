/**
 * Moves a group to another place of a topic while its sidecars are at work:
 *
 *   pause its Subscription (it leaves the snapshots) → its members leave, having committed → offsets are set → the Subscription is back
 *
 * Kafka moves no group that has members. Whatever goes wrong, the Subscription is back afterwards: the pause is in memory, and ends with this process, too.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Resource, SubscriptionResource } from '@weft/schemas/resources'
import { type Place, placesIn, type RewindAdmin, rangeOf, type Target } from './places.ts'

export interface RewinderOptions {
  readonly admin: () => Promise<RewindAdmin | undefined>
  readonly resources: () => readonly Resource[]
  /** Makes new snapshots. */
  readonly tell: () => Promise<void>
  readonly log: Log
}

export interface RewindRequest {
  readonly topic: string
  readonly group: string
  readonly to: Target
  /** Says what would be, and changes nothing. */
  readonly isDryRun: boolean
}

export interface Rewound {
  readonly topic: string
  readonly group: string
  /** The Subscription whose deliveries stood still meanwhile. */
  readonly subscription?: string
  readonly partitions: readonly Place[]
}

/** Deliveries under way may take as long as a Subscription lets them, which is five minutes; mostly they take milliseconds. */
const MAX_PAUSE_MS = 60_000
const POLL_MS = 100
/** Kafka's words for a group without members. */
const WITHOUT_MEMBERS: ReadonlySet<string> = new Set(['Empty', 'Dead'])

export class Rewinder {
  readonly #options: RewinderOptions
  readonly #paused = new Set<string>()
  readonly #busy = new Set<string>()

  constructor(options: RewinderOptions) {
    this.#options = options
  }

  /** Those that sidecars are not told of now. */
  readonly isPaused = ({ metadata }: SubscriptionResource): boolean => this.#paused.has(nameOf(metadata))

  /** Rejects with MeshError: `not_found` for a topic that is not there, `conflict` where the group has other members, or is being moved already. */
  async rewind(request: RewindRequest): Promise<Rewound> {
    const { topic, group, to, isDryRun } = request
    const admin = await this.#options.admin()
    if (admin === undefined)
      throw new MeshError(
        'unavailable',
        'expected spec.kafka in the Mesh resource: there is no cluster to ask',
      )
    const range = await rangeOf(admin, topic)
    const subscription = this.#subscriptionOf(request)
    const about = {
      topic,
      group,
      ...(subscription !== undefined && { subscription: subscription.metadata.name }),
    }
    if (isDryRun) return { ...about, partitions: await placesIn(admin, request, range, to) }
    if (this.#busy.has(group)) throw new MeshError('conflict', `the group ${group} is being moved already`)
    this.#busy.add(group)
    try {
      return await this.#whilePaused(subscription, async () => {
        await this.#untilEmpty(admin, group, subscription !== undefined)
        const partitions = await placesIn(admin, request, range, to)
        await admin.alterConsumerGroupOffsets({
          groupId: group,
          topics: [
            {
              name: topic,
              partitionOffsets: partitions.map(({ partition, to: offset }) => ({
                partition,
                offset: BigInt(offset),
              })),
            },
          ],
        })
        this.#options.log.info({ ...about, partitions }, 'a group was moved')
        return { ...about, partitions }
      })
    } finally {
      this.#busy.delete(group)
    }
  }

  #subscriptionOf({ topic, group }: RewindRequest): SubscriptionResource | undefined {
    return this.#options
      .resources()
      .find(
        (resource): resource is SubscriptionResource =>
          resource.kind === 'Subscription' && resource.spec.topic === topic && resource.spec.group === group,
      )
  }

  async #whilePaused<T>(subscription: SubscriptionResource | undefined, work: () => Promise<T>): Promise<T> {
    if (subscription === undefined) return await work()
    const name = nameOf(subscription.metadata)
    this.#paused.add(name)
    try {
      await this.#options.tell()
      return await work()
    } finally {
      this.#paused.delete(name)
      await this.#options.tell()
    }
  }

  async #untilEmpty(admin: RewindAdmin, group: string, mayWait: boolean): Promise<void> {
    const end = performance.now() + MAX_PAUSE_MS
    for (;;) {
      const found = (await admin.listGroups()).get(group)
      if (found === undefined || WITHOUT_MEMBERS.has(found.state)) return
      if (!mayWait)
        throw new MeshError(
          'conflict',
          `the group ${group} has members that no Subscription of this topic explains (${found.state}): stop them first`,
        )
      if (performance.now() > end)
        throw new MeshError(
          'conflict',
          `the group ${group} still has members after ${MAX_PAUSE_MS / 1000} s (${found.state}): a client of its own, or a delivery that takes so long`,
        )
      await sleep(POLL_MS)
    }
  }
}

const nameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`
