/** The plan of a topic, carried out. */
import {
  type Admin,
  ConfigResourceTypes,
  findErrorBy,
  IncrementalAlterConfigOperationTypes,
} from '@platformatic/kafka'
import type { WantedTopic } from '../translate/index.ts'
import { type ActualTopic, configOf, planTopic } from './topic-plan.ts'

/** The calls that are made. */
export type TopicAdmin = Pick<
  Admin,
  | 'listTopics'
  | 'metadata'
  | 'describeConfigs'
  | 'createTopics'
  | 'createPartitions'
  | 'incrementalAlterConfigs'
>

/** What the broker has of these topics. */
export async function readTopics(
  admin: TopicAdmin,
  wanted: readonly WantedTopic[],
): Promise<ReadonlyMap<string, ActualTopic>> {
  const existing = new Set(await admin.listTopics())
  const known = wanted.filter(({ name }) => existing.has(name))
  const actual = new Map<string, ActualTopic>()
  if (known.length === 0) return actual
  const { topics } = await admin.metadata({
    topics: known.map(({ name }) => name),
    autocreateTopics: false,
    forceUpdate: true,
  })
  const described = await admin.describeConfigs({
    resources: known.map((topic) => ({
      resourceType: ConfigResourceTypes.TOPIC,
      resourceName: topic.name,
      configurationKeys: Object.keys(configOf(topic)),
    })),
  })
  const configs = new Map(
    described.map(({ resourceName, configs: settings }) => [
      resourceName,
      Object.fromEntries(settings.map(({ name, value }) => [name, value ?? ''])),
    ]),
  )
  for (const { name } of known) {
    const topic = topics.get(name)
    if (topic === undefined) continue
    actual.set(name, {
      partitions: topic.partitionsCount,
      replicas: topic.partitions[0]?.replicas.length ?? 0,
      config: configs.get(name) ?? {},
    })
  }
  return actual
}

/** Makes the topic as it is wanted; returns what it had to leave as it is. Throws what the broker answers. */
export async function applyTopic(
  admin: TopicAdmin,
  wanted: WantedTopic,
  actual: ActualTopic | undefined,
): Promise<readonly string[]> {
  const plan = planTopic(wanted, actual)
  if (plan.step === 'create') {
    await admin.createTopics({
      topics: [{ topic: wanted.name, partitions: wanted.partitions, replicas: wanted.replicationFactor }],
      configs: Object.entries(configOf(wanted)).map(([name, value]) => ({ name, value })),
    })
    return []
  }
  if (plan.partitions !== undefined)
    await admin.createPartitions({
      topics: [{ name: wanted.name, count: plan.partitions, assignments: null }],
    })
  const changes = Object.entries(plan.config)
  if (changes.length > 0)
    await admin.incrementalAlterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: wanted.name,
          configs: changes.map(([name, value]) => ({
            name,
            value,
            configOperation: IncrementalAlterConfigOperationTypes.SET,
          })),
        },
      ],
    })
  return plan.differences
}

/** TOPIC_ALREADY_EXISTS: somebody was faster, or the broker that was asked had not heard of it yet. */
export const isThereAlready = (error: unknown): boolean =>
  error instanceof Error && findErrorBy(error, 'apiCode', TOPIC_ALREADY_EXISTS) !== null

const TOPIC_ALREADY_EXISTS = 36
