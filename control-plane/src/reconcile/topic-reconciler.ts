/**
 * Keeps the topics of the cluster as their resources say:
 *
 *   change of resources ─┐
 *   retry after backoff ─┼→ read topics → plan → create, add partitions, set config → status of each
 *   every minute ────────┘
 *
 * It creates and widens; it never deletes or shrinks, because what a topic holds cannot be brought back.
 */
import type { Log } from '@weft/schemas/node/log'
import { reasonsOf } from '../kafka/reasons.ts'
import type { WantedTopic } from '../translate/index.ts'
import { startPasses } from './passes.ts'
import { applyTopic, isThereAlready, readTopics, type TopicAdmin } from './topic-changes.ts'

export interface TopicReconcilerOptions {
  /** Undefined while the mesh has no cluster. */
  readonly admin: () => Promise<TopicAdmin | undefined>
  readonly wanted: () => readonly WantedTopic[]
  readonly onChange: (listener: () => void) => () => void
  readonly log: Log
}

export interface TopicStatus {
  /** ready: there, and as wanted or as near as it can be · pending: not looked at yet, or the broker is away · error: the broker refuses. */
  readonly state: 'ready' | 'pending' | 'error'
  readonly message?: string
}

export interface TopicReconciler {
  /** By the name in Kafka. */
  status(topic: string): TopicStatus
  close(): Promise<void>
}

const PENDING: TopicStatus = { state: 'pending', message: 'not created yet' }
const NO_CLUSTER: TopicStatus = { state: 'pending', message: 'the Mesh resource names no Kafka cluster' }

/** Somebody else may have changed a topic. */
const RESYNC_MS = 60_000

/** Starts at once; ends with `close`. */
export function startTopicReconciler(options: TopicReconcilerOptions): TopicReconciler {
  const { log } = options
  const statuses = new Map<string, TopicStatus>()
  let isAway = false

  function set(name: string, status: TopicStatus): void {
    const before = statuses.get(name)
    statuses.set(name, status)
    if (before?.state === status.state && before.message === status.message) return
    const fields = { topic: name, ...status }
    if (status.state === 'error') log.error(fields, 'topic cannot be made as its resource says')
    else if (status.state === 'ready' && status.message !== undefined)
      log.warn(fields, 'topic differs from its resource')
    else if (status.state === 'ready') log.info(fields, 'topic is ready')
  }

  /** True if everything is as it should be. */
  async function pass(): Promise<boolean> {
    const wanted = options.wanted()
    const names = new Set(wanted.map(({ name }) => name))
    for (const name of statuses.keys()) if (!names.has(name)) statuses.delete(name)
    if (wanted.length === 0) return true
    try {
      const admin = await options.admin()
      if (admin === undefined) {
        for (const name of names) set(name, NO_CLUSTER)
        return true
      }
      const actual = await readTopics(admin, wanted)
      isAway = false
      let allReady = true
      for (const topic of wanted) allReady = (await one(admin, topic, actual.get(topic.name))) && allReady
      return allReady
    } catch (error) {
      const message = `the broker does not answer: ${reasonsOf(error)}`
      if (!isAway) log.warn({ reason: message }, 'topics cannot be checked; trying again')
      isAway = true
      for (const name of names)
        if (statuses.get(name)?.state !== 'ready') set(name, { state: 'pending', message })
      return false
    }
  }

  async function one(
    admin: TopicAdmin,
    topic: WantedTopic,
    actual: Parameters<typeof applyTopic>[2],
  ): Promise<boolean> {
    try {
      const differences = await applyTopic(admin, topic, actual)
      set(topic.name, { state: 'ready', ...(differences.length > 0 && { message: differences.join('; ') }) })
      return true
    } catch (error) {
      // Looked at again, to see whether it is as it should be.
      const state = isThereAlready(error) ? 'pending' : 'error'
      set(topic.name, { state, message: reasonsOf(error) })
      return false
    }
  }

  const passes = startPasses({ pass, onChange: [options.onChange], resyncMs: RESYNC_MS })
  return { status: (topic) => statuses.get(topic) ?? PENDING, close: passes.close }
}
