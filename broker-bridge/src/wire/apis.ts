import { PRODUCE } from './00-produce.ts'
import { FETCH } from './01-fetch.ts'
import { LIST_OFFSETS } from './02-list-offsets.ts'
import { METADATA } from './03-metadata.ts'
import { OFFSET_COMMIT } from './08-offset-commit.ts'
import { OFFSET_FETCH } from './09-offset-fetch.ts'
import { FIND_COORDINATOR } from './10-find-coordinator.ts'
import { JOIN_GROUP } from './11-join-group.ts'
import { HEARTBEAT } from './12-heartbeat.ts'
import { LEAVE_GROUP } from './13-leave-group.ts'
import { SYNC_GROUP } from './14-sync-group.ts'
import { DESCRIBE_GROUPS } from './15-describe-groups.ts'
import { LIST_GROUPS } from './16-list-groups.ts'
import { SASL_HANDSHAKE } from './17-sasl-handshake.ts'
import { API_VERSIONS } from './18-api-versions.ts'
import { CREATE_TOPICS } from './19-create-topics.ts'
import { DELETE_TOPICS } from './20-delete-topics.ts'
import { DELETE_RECORDS } from './21-delete-records.ts'
import { INIT_PRODUCER_ID } from './22-init-producer-id.ts'
import { OFFSET_FOR_LEADER_EPOCH } from './23-offset-for-leader-epoch.ts'
import { ADD_PARTITIONS_TO_TXN } from './24-add-partitions-to-txn.ts'
import { ADD_OFFSETS_TO_TXN } from './25-add-offsets-to-txn.ts'
import { END_TXN } from './26-end-txn.ts'
import { WRITE_TXN_MARKERS } from './27-write-txn-markers.ts'
import { TXN_OFFSET_COMMIT } from './28-txn-offset-commit.ts'
import { DESCRIBE_ACLS } from './29-describe-acls.ts'
import { CREATE_ACLS } from './30-create-acls.ts'
import { DELETE_ACLS } from './31-delete-acls.ts'
import { DESCRIBE_CONFIGS } from './32-describe-configs.ts'
import { ALTER_CONFIGS } from './33-alter-configs.ts'
import { ALTER_REPLICA_LOG_DIRS } from './34-alter-replica-log-dirs.ts'
import { DESCRIBE_LOG_DIRS } from './35-describe-log-dirs.ts'
import { SASL_AUTHENTICATE } from './36-sasl-authenticate.ts'
import { CREATE_PARTITIONS } from './37-create-partitions.ts'
import { CREATE_DELEGATION_TOKEN } from './38-create-delegation-token.ts'
import { RENEW_DELEGATION_TOKEN } from './39-renew-delegation-token.ts'
import { EXPIRE_DELEGATION_TOKEN } from './40-expire-delegation-token.ts'
import { DESCRIBE_DELEGATION_TOKEN } from './41-describe-delegation-token.ts'
import { DELETE_GROUPS } from './42-delete-groups.ts'
import { ELECT_LEADERS } from './43-elect-leaders.ts'
import { INCREMENTAL_ALTER_CONFIGS } from './44-incremental-alter-configs.ts'
import { ALTER_PARTITION_REASSIGNMENTS } from './45-alter-partition-reassignments.ts'
import { LIST_PARTITION_REASSIGNMENTS } from './46-list-partition-reassignments.ts'
import { OFFSET_DELETE } from './47-offset-delete.ts'
import { DESCRIBE_CLIENT_QUOTAS } from './48-describe-client-quotas.ts'
import { ALTER_CLIENT_QUOTAS } from './49-alter-client-quotas.ts'
import { DESCRIBE_USER_SCRAM_CREDENTIALS } from './50-describe-user-scram-credentials.ts'
import { ALTER_USER_SCRAM_CREDENTIALS } from './51-alter-user-scram-credentials.ts'
import { DESCRIBE_QUORUM } from './55-describe-quorum.ts'
import { UPDATE_FEATURES } from './57-update-features.ts'
import { DESCRIBE_CLUSTER } from './60-describe-cluster.ts'
import { DESCRIBE_PRODUCERS } from './61-describe-producers.ts'
import { UNREGISTER_BROKER } from './64-unregister-broker.ts'
import { DESCRIBE_TRANSACTIONS } from './65-describe-transactions.ts'
import { LIST_TRANSACTIONS } from './66-list-transactions.ts'
import { CONSUMER_GROUP_HEARTBEAT } from './68-consumer-group-heartbeat.ts'
import { CONSUMER_GROUP_DESCRIBE } from './69-consumer-group-describe.ts'
import { GET_TELEMETRY_SUBSCRIPTIONS } from './71-get-telemetry-subscriptions.ts'
import { PUSH_TELEMETRY } from './72-push-telemetry.ts'
import { LIST_CONFIG_RESOURCES } from './74-list-config-resources.ts'
import { DESCRIBE_TOPIC_PARTITIONS } from './75-describe-topic-partitions.ts'
import { SHARE_GROUP_HEARTBEAT } from './76-share-group-heartbeat.ts'
import { SHARE_GROUP_DESCRIBE } from './77-share-group-describe.ts'
import { SHARE_FETCH } from './78-share-fetch.ts'
import { SHARE_ACKNOWLEDGE } from './79-share-acknowledge.ts'
import { ADD_RAFT_VOTER } from './80-add-raft-voter.ts'
import { REMOVE_RAFT_VOTER } from './81-remove-raft-voter.ts'
import { STREAMS_GROUP_HEARTBEAT } from './88-streams-group-heartbeat.ts'
import { STREAMS_GROUP_DESCRIBE } from './89-streams-group-describe.ts'
import { DESCRIBE_SHARE_GROUP_OFFSETS } from './90-describe-share-group-offsets.ts'
import { ALTER_SHARE_GROUP_OFFSETS } from './91-alter-share-group-offsets.ts'
import { DELETE_SHARE_GROUP_OFFSETS } from './92-delete-share-group-offsets.ts'
import type { Api } from './api.ts'

const TABLE: readonly Api[] = [
  PRODUCE,
  FETCH,
  LIST_OFFSETS,
  METADATA,
  OFFSET_COMMIT,
  OFFSET_FETCH,
  FIND_COORDINATOR,
  JOIN_GROUP,
  HEARTBEAT,
  LEAVE_GROUP,
  SYNC_GROUP,
  DESCRIBE_GROUPS,
  LIST_GROUPS,
  SASL_HANDSHAKE,
  API_VERSIONS,
  CREATE_TOPICS,
  DELETE_TOPICS,
  DELETE_RECORDS,
  INIT_PRODUCER_ID,
  OFFSET_FOR_LEADER_EPOCH,
  ADD_PARTITIONS_TO_TXN,
  ADD_OFFSETS_TO_TXN,
  END_TXN,
  WRITE_TXN_MARKERS,
  TXN_OFFSET_COMMIT,
  DESCRIBE_ACLS,
  CREATE_ACLS,
  DELETE_ACLS,
  DESCRIBE_CONFIGS,
  ALTER_CONFIGS,
  ALTER_REPLICA_LOG_DIRS,
  DESCRIBE_LOG_DIRS,
  SASL_AUTHENTICATE,
  CREATE_PARTITIONS,
  CREATE_DELEGATION_TOKEN,
  RENEW_DELEGATION_TOKEN,
  EXPIRE_DELEGATION_TOKEN,
  DESCRIBE_DELEGATION_TOKEN,
  DELETE_GROUPS,
  ELECT_LEADERS,
  INCREMENTAL_ALTER_CONFIGS,
  ALTER_PARTITION_REASSIGNMENTS,
  LIST_PARTITION_REASSIGNMENTS,
  OFFSET_DELETE,
  DESCRIBE_CLIENT_QUOTAS,
  ALTER_CLIENT_QUOTAS,
  DESCRIBE_USER_SCRAM_CREDENTIALS,
  ALTER_USER_SCRAM_CREDENTIALS,
  DESCRIBE_QUORUM,
  UPDATE_FEATURES,
  DESCRIBE_CLUSTER,
  DESCRIBE_PRODUCERS,
  UNREGISTER_BROKER,
  DESCRIBE_TRANSACTIONS,
  LIST_TRANSACTIONS,
  CONSUMER_GROUP_HEARTBEAT,
  CONSUMER_GROUP_DESCRIBE,
  GET_TELEMETRY_SUBSCRIPTIONS,
  PUSH_TELEMETRY,
  LIST_CONFIG_RESOURCES,
  DESCRIBE_TOPIC_PARTITIONS,
  SHARE_GROUP_HEARTBEAT,
  SHARE_GROUP_DESCRIBE,
  SHARE_FETCH,
  SHARE_ACKNOWLEDGE,
  ADD_RAFT_VOTER,
  REMOVE_RAFT_VOTER,
  STREAMS_GROUP_HEARTBEAT,
  STREAMS_GROUP_DESCRIBE,
  DESCRIBE_SHARE_GROUP_OFFSETS,
  ALTER_SHARE_GROUP_OFFSETS,
  DELETE_SHARE_GROUP_OFFSETS,
]

/** Every API that the sidecar knows, by key. What is not here is neither advertised nor forwarded. */
export const APIS: ReadonlyMap<number, Api> = new Map(TABLE.map((api) => [api.key, api]))
