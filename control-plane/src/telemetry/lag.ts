/** How far each consumer group is behind, asked of the broker every two seconds. */
import type { Admin } from '@platformatic/kafka'
import type { Log } from '@weft/schemas/node/log'
import { EARLIEST, LATEST, offsetsAt } from '../kafka/offsets.ts'

/** The calls that are made. */
export type LagAdmin = Pick<Admin, 'listConsumerGroupOffsets' | 'listGroups' | 'listOffsets' | 'metadata'>

/** What to look at: a topic, and the group that reads it, where it is known. */
export interface Watched {
  readonly group?: string
  readonly topic: string
}

export interface LagReading {
  /** Records not yet committed, by `<group> <topic>`; of groups that nobody named, those that have committed to a topic. */
  readonly behind: ReadonlyMap<string, number>
  /** Records in each topic. */
  readonly records: ReadonlyMap<string, number>
}

export interface LagOptions {
  /** The connection to the cluster of the Mesh resource; undefined while there is none. Whoever gives it closes it. */
  readonly admin: () => Promise<LagAdmin | undefined>
  readonly consumers: () => readonly Watched[]
  readonly log: Log
  /** Default 2000. */
  readonly intervalMs?: number
}

export interface Lag {
  /** The last reading. Empty while the broker cannot be asked: an old number would be a lie. */
  current(): LagReading
  stop(): Promise<void>
}

export const NO_LAG: LagReading = { behind: new Map(), records: new Map() }

const INTERVAL_MS = 2000
/** A broker that starts beside the control plane is there after some ten seconds, and then somebody looks. */
const MAX_BACKOFF_MS = 5000
/** Each is one request per poll. */
const MAX_GROUPS = 200
const MAX_TOPICS = 200

/** Polls until `stop`. A broker that is away is asked less and less often, at last every five seconds. */
export function startLag(options: LagOptions): Lag {
  const interval = options.intervalMs ?? INTERVAL_MS
  let lag = NO_LAG
  let failures = 0
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  const poll = async (): Promise<void> => {
    try {
      const admin = await options.admin()
      lag = admin === undefined ? NO_LAG : await readLag(admin, options.consumers())
      failures = 0
    } catch (error) {
      lag = NO_LAG
      failures += 1
      if (failures === 1) options.log.warn({ error }, 'the lag of consumer groups cannot be read')
    }
    if (!stopped) schedule(Math.min(interval * 2 ** failures, Math.max(interval, MAX_BACKOFF_MS)))
  }
  const schedule = (delayMs: number): void => {
    timer = setTimeout(() => {
      running = poll()
    }, delayMs).unref()
  }

  schedule(0)
  return {
    current: () => lag,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/**
 * One reading. A group or a topic that the broker does not know yet is left out; throws when all of them fail.
 * A partition without a commit counts from its first record: that is where a new group starts.
 */
export async function readLag(admin: LagAdmin, watched: readonly Watched[]): Promise<LagReading> {
  const topics = distinct(watched.map(({ topic }) => topic)).slice(0, MAX_TOPICS)
  const named = watched.flatMap(({ group }) => group ?? [])
  const groups = distinct([...named, ...(await groupsOf(admin))]).slice(0, MAX_GROUPS)
  const [committed, ranges] = await Promise.all([
    collect(groups, (group) => committedOffsets(admin, group)),
    collect(topics, (topic) => topicRange(admin, topic)),
  ])

  const isNamed = new Set(watched.map(({ group, topic }) => `${group} ${topic}`))
  const behind = new Map<string, number>()
  for (const [group, offsets] of committed) {
    for (const [topic, range] of ranges) {
      const key = `${group} ${topic}`
      const reads = [...range.keys()].some((partition) => offsets.has(`${topic} ${partition}`))
      if (reads || isNamed.has(key))
        behind.set(
          key,
          count(range, (partition) => offsets.get(`${topic} ${partition}`)),
        )
    }
  }
  const records = new Map([...ranges].map(([topic, range]) => [topic, count(range, () => undefined)]))
  return { behind, records }
}

/** Records of a topic from the given offsets on; from the first one where there is none. */
function count(range: Range, from: (partition: number) => bigint | undefined): number {
  let records = 0n
  for (const [partition, { first, end }] of range) {
    const start = from(partition) ?? first
    if (end > start) records += end - start
  }
  return Number(records)
}

/** Clients with a Kafka library of their own have groups that no resource names. */
async function groupsOf(admin: LagAdmin): Promise<readonly string[]> {
  try {
    return [...(await admin.listGroups()).keys()]
  } catch {
    // Not permitted, or away: if the broker is away, what is asked next says so.
    return []
  }
}

async function committedOffsets(admin: LagAdmin, group: string): Promise<ReadonlyMap<string, bigint>> {
  const offsets = new Map<string, bigint>()
  for (const { topics } of await admin.listConsumerGroupOffsets({ groups: [group] })) {
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, committedOffset } of partitions) {
        if (committedOffset >= 0n) offsets.set(`${name} ${partitionIndex}`, committedOffset)
      }
    }
  }
  return offsets
}

type Range = ReadonlyMap<number, { readonly first: bigint; readonly end: bigint }>

async function topicRange(admin: LagAdmin, topic: string): Promise<Range> {
  // A topic that is not there would be asked for again and again, and all others would wait for it.
  const metadata = await admin.metadata({ topics: [topic], retries: 0 })
  const count = metadata.topics.get(topic)?.partitionsCount ?? 0
  const at = (timestamp: bigint) => offsetsAt(admin, topic, { partitions: count, timestamp })
  const [first, end] = await Promise.all([at(EARLIEST), at(LATEST)])
  return new Map(
    [...end].map(([partition, offset]) => [partition, { first: first.get(partition) ?? 0n, end: offset }]),
  )
}

/** Asks for each key at once; keeps what succeeded. Throws the first error where nothing did. */
async function collect<T>(
  keys: readonly string[],
  ask: (key: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> {
  const results = await Promise.allSettled(keys.map(ask))
  const found = new Map<string, T>()
  for (const [index, result] of results.entries()) {
    if (result.status === 'fulfilled') found.set(keys[index] ?? '', result.value)
  }
  const failed = results.find((result) => result.status === 'rejected')
  if (found.size === 0 && failed !== undefined) throw failed.reason
  return found
}

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)]
