/**
 * What is asked of the cluster as a whole. The broker's controller answers most of it; a refusal is the error answer of
 * each request (AbstractRequest.getErrorResponse), which for some names every entry again.
 */

import type { KafkaOperation } from '@weft/schemas/policy'
import { DESCRIBE_ACLS } from '../../../wire/29-describe-acls.ts'
import { CREATE_ACLS } from '../../../wire/30-create-acls.ts'
import { DELETE_ACLS } from '../../../wire/31-delete-acls.ts'
import { ALTER_REPLICA_LOG_DIRS } from '../../../wire/34-alter-replica-log-dirs.ts'
import { DESCRIBE_LOG_DIRS } from '../../../wire/35-describe-log-dirs.ts'
import { ELECT_LEADERS } from '../../../wire/43-elect-leaders.ts'
import { ALTER_PARTITION_REASSIGNMENTS } from '../../../wire/45-alter-partition-reassignments.ts'
import { LIST_PARTITION_REASSIGNMENTS } from '../../../wire/46-list-partition-reassignments.ts'
import { DESCRIBE_CLIENT_QUOTAS } from '../../../wire/48-describe-client-quotas.ts'
import { ALTER_CLIENT_QUOTAS } from '../../../wire/49-alter-client-quotas.ts'
import { DESCRIBE_USER_SCRAM_CREDENTIALS } from '../../../wire/50-describe-user-scram-credentials.ts'
import { ALTER_USER_SCRAM_CREDENTIALS } from '../../../wire/51-alter-user-scram-credentials.ts'
import { DESCRIBE_QUORUM } from '../../../wire/55-describe-quorum.ts'
import { UPDATE_FEATURES } from '../../../wire/57-update-features.ts'
import { DESCRIBE_CLUSTER } from '../../../wire/60-describe-cluster.ts'
import { UNREGISTER_BROKER } from '../../../wire/64-unregister-broker.ts'
import { LIST_CONFIG_RESOURCES } from '../../../wire/74-list-config-resources.ts'
import { ADD_RAFT_VOTER } from '../../../wire/80-add-raft-voter.ts'
import { REMOVE_RAFT_VOTER } from '../../../wire/81-remove-raft-voter.ts'
import type { Api } from '../../../wire/api.ts'
import { KAFKA_ERROR, KAFKA_ERROR_TEXT } from '../../../wire/error-codes.ts'
import type { Authorizer, AuthorizerTable } from './authorizer.ts'
import { CLUSTER_NAME, clusterOperations } from './operations.ts'

const errorCode = KAFKA_ERROR.clusterAuthorizationFailed
const errorMessage = KAFKA_ERROR_TEXT[errorCode]
const error = { errorCode, errorMessage, tags: [] }

/** One operation on the cluster, or an answer that says no. */
function requires<Request, Response>(
  operation: KafkaOperation,
  api: Api<Request, Response>,
  refuse: (request: Request) => Partial<Response>,
): AuthorizerTable[number] {
  const authorizer: Authorizer = (exchange, { access }) => {
    if (!access.allows('cluster', CLUSTER_NAME, operation))
      exchange.answer(api, { ...api.response.absent, ...refuse(exchange.read(api)) })
    return undefined
  }
  return [api.key, authorizer]
}

/** DescribeCluster: open to all, as the brokers' addresses are; only the operations are the caller's own. */
const describeCluster: Authorizer =
  (_exchange, { access }) =>
  (answer) => {
    const message = answer.message(DESCRIBE_CLUSTER)
    message.clusterAuthorizedOperations = clusterOperations(access, message.clusterAuthorizedOperations)
    answer.changed()
    return undefined
  }

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted()

export const CLUSTER_AUTHORIZERS: AuthorizerTable = [
  [DESCRIBE_CLUSTER.key, describeCluster],
  requires('describe', DESCRIBE_ACLS, () => error),
  requires('alter', CREATE_ACLS, ({ creations }) => ({ results: creations.map(() => error) })),
  requires('alter', DELETE_ACLS, ({ filters }) => ({
    filterResults: filters.map(() => ({ ...error, matchingAcls: [] })),
  })),
  requires('alter', ALTER_REPLICA_LOG_DIRS, ({ dirs }) => ({
    results: dirs.flatMap(({ topics }) =>
      topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((index) => ({ index, errorCode, tags: [] })),
        tags: [],
      })),
    ),
  })),
  requires('describe', DESCRIBE_LOG_DIRS, () => ({ errorCode })),
  requires('alter', ELECT_LEADERS, ({ topicPartitions }) => ({
    errorCode,
    replicaElectionResults: (topicPartitions ?? []).map(({ name, partitions }) => ({
      name,
      partitionResult: partitions.map((partitionId) => ({ partitionId, ...error })),
      tags: [],
    })),
  })),
  requires('alter', ALTER_PARTITION_REASSIGNMENTS, ({ topics }) => ({
    ...error,
    responses: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({ index, ...error })),
      tags: [],
    })),
  })),
  requires('describe', LIST_PARTITION_REASSIGNMENTS, ({ topics }) => ({
    ...error,
    topics: (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((index) => ({
        index,
        replicas: [],
        addingReplicas: [],
        removingReplicas: [],
        tags: [],
      })),
      tags: [],
    })),
  })),
  requires('describeConfigs', DESCRIBE_CLIENT_QUOTAS, () => ({ ...error, entries: null })),
  requires('alterConfigs', ALTER_CLIENT_QUOTAS, ({ entries }) => ({
    entries: entries.map(({ entity }) => ({ ...error, entity })),
  })),
  requires('describe', DESCRIBE_USER_SCRAM_CREDENTIALS, ({ users }) => ({
    ...error,
    results: (users ?? []).map(() => ({ ...error, user: '', credentialInfos: [] })),
  })),
  requires('alter', ALTER_USER_SCRAM_CREDENTIALS, ({ deletions, upsertions }) => ({
    results: distinct([...deletions, ...upsertions].map(({ name }) => name)).map((user) => ({
      ...error,
      user,
    })),
  })),
  requires('describe', DESCRIBE_QUORUM, () => ({ errorCode })),
  requires('alter', UPDATE_FEATURES, () => error),
  requires('alter', UNREGISTER_BROKER, () => error),
  requires('describeConfigs', LIST_CONFIG_RESOURCES, () => ({ errorCode })),
  requires('alter', ADD_RAFT_VOTER, () => error),
  requires('alter', REMOVE_RAFT_VOTER, () => error),
]
