/** Topics made, changed, deleted and described by those who run them. */
import { CREATE_TOPICS } from '../../../wire/19-create-topics.ts'
import { DELETE_TOPICS } from '../../../wire/20-delete-topics.ts'
import { DELETE_RECORDS } from '../../../wire/21-delete-records.ts'
import { CREATE_PARTITIONS } from '../../../wire/37-create-partitions.ts'
import { DESCRIBE_PRODUCERS } from '../../../wire/61-describe-producers.ts'
import { NO_TOPIC_ID } from '../../../wire/codec.ts'
import { KAFKA_ERROR, KAFKA_ERROR_TEXT } from '../../../wire/error-codes.ts'
import type { Access } from '../../access.ts'
import { topicKey } from '../../topic-ids.ts'
import type { AuthorizeContext, Authorizer, AuthorizerTable } from './authorizer.ts'
import { CLUSTER_NAME } from './operations.ts'
import { splitEntries } from './split.ts'

const errorCode = KAFKA_ERROR.topicAuthorizationFailed
const errorMessage = KAFKA_ERROR_TEXT[errorCode]

const byName = ({ name }: { readonly name: string | null }): string | null => name

/** Either the cluster's right or the topic's own will do. */
const mayCreate = (access: Access, topic: string): boolean =>
  access.sees('cluster', CLUSTER_NAME, 'create') || access.allows('topic', topic, 'create')

/** Configs in the answer (KIP-525) are for those who may describe them: tagged field 0 says why they are missing. */
const CONFIG_ERROR_TAG = { tag: 0, bytes: Buffer.from([0, errorCode]) }

const createTopics: Authorizer = (exchange, { access }) => {
  const merge = splitEntries(exchange, CREATE_TOPICS, {
    asked: 'topics',
    answered: 'topics',
    keyOf: byName,
    refuse: ({ name }) =>
      mayCreate(access, name)
        ? undefined
        : {
            name,
            topicId: NO_TOPIC_ID,
            errorCode,
            errorMessage: 'Authorization failed.',
            numPartitions: -1,
            replicationFactor: -1,
            configs: exchange.version >= 5 ? [] : null,
            tags: [],
          },
  })
  return (answer) => {
    merge?.(answer)
    const message = answer.message(CREATE_TOPICS)
    for (const topic of message.topics) {
      if (topic.errorCode !== KAFKA_ERROR.none || access.sees('topic', topic.name, 'describeConfigs'))
        continue
      Object.assign(topic, {
        numPartitions: -1,
        replicationFactor: -1,
        configs: [],
        tags: [CONFIG_ERROR_TAG],
      })
      answer.changed()
    }
    return undefined
  }
}

/** Who may delete on the cluster may delete any topic. */
const mayDelete = (access: Access, topic: string): boolean =>
  access.sees('cluster', CLUSTER_NAME, 'delete') || access.allows('topic', topic, 'delete')

const deleteTopics: Authorizer = (exchange, context) =>
  exchange.version >= 6 ? deleteTopicsById(exchange, context) : deleteTopicsByName(exchange, context)

const deleteTopicsByName: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, DELETE_TOPICS, {
    asked: 'topicNames',
    answered: 'responses',
    keyOf: (entry) => (typeof entry === 'string' ? entry : entry.name),
    refuse: (name) =>
      mayDelete(access, name) ? undefined : { name, topicId: NO_TOPIC_ID, errorCode, errorMessage, tags: [] },
  })

const deleteTopicsById: Authorizer = (exchange, context) =>
  splitEntries(exchange, DELETE_TOPICS, {
    asked: 'topics',
    answered: 'responses',
    keyOf: topicKey,
    refuse({ name, topicId }) {
      const known = context.topicIds.nameOf({ name, topicId })
      if (known === undefined)
        return { name: null, topicId, errorCode: KAFKA_ERROR.unknownTopicId, errorMessage: null, tags: [] }
      if (mayDelete(context.access, known)) return undefined
      return { name: visibleName(known, name, context), topicId, errorCode, errorMessage, tags: [] }
    },
  })

/** A topic that was named by id, and may not be described, stays without a name. */
const visibleName = (known: string, asked: string | null, { access }: AuthorizeContext): string | null =>
  asked ?? (access.sees('topic', known, 'describe') ? known : null)

const deleteRecords: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, DELETE_RECORDS, {
    asked: 'topics',
    answered: 'topics',
    keyOf: byName,
    refuse({ name, partitions }) {
      if (access.allows('topic', name, 'delete')) return undefined
      const refusals = partitions.map(({ index }) => ({ index, lowWatermark: -1n, errorCode, tags: [] }))
      return { name, partitions: refusals, tags: [] }
    },
  })

const createPartitions: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, CREATE_PARTITIONS, {
    asked: 'topics',
    answered: 'results',
    keyOf: byName,
    refuse: ({ name }) =>
      access.allows('topic', name, 'alter') ? undefined : { name, errorCode, errorMessage: null, tags: [] },
  })

const describeProducers: Authorizer = (exchange, { access }) =>
  splitEntries(exchange, DESCRIBE_PRODUCERS, {
    asked: 'topics',
    answered: 'topics',
    keyOf: byName,
    refuse({ name, partitionIndexes }) {
      if (access.allows('topic', name, 'consume')) return undefined
      const partitions = partitionIndexes.map((index) => ({
        index,
        errorCode,
        errorMessage,
        activeProducers: [],
        tags: [],
      }))
      return { name, partitions, tags: [] }
    },
  })

export const TOPIC_ADMIN_AUTHORIZERS: AuthorizerTable = [
  [CREATE_TOPICS.key, createTopics],
  [DELETE_TOPICS.key, deleteTopics],
  [DELETE_RECORDS.key, deleteRecords],
  [CREATE_PARTITIONS.key, createPartitions],
  [DESCRIBE_PRODUCERS.key, describeProducers],
]
