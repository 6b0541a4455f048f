import { PRODUCE } from '../../../wire/00-produce.ts'
import { FETCH } from '../../../wire/01-fetch.ts'
import { LIST_OFFSETS } from '../../../wire/02-list-offsets.ts'
import { METADATA } from '../../../wire/03-metadata.ts'
import { OFFSET_COMMIT } from '../../../wire/08-offset-commit.ts'
import { OFFSET_FETCH } from '../../../wire/09-offset-fetch.ts'
import { FIND_COORDINATOR } from '../../../wire/10-find-coordinator.ts'
import { JOIN_GROUP } from '../../../wire/11-join-group.ts'
import { HEARTBEAT } from '../../../wire/12-heartbeat.ts'
import { LEAVE_GROUP } from '../../../wire/13-leave-group.ts'
import { SYNC_GROUP } from '../../../wire/14-sync-group.ts'
import { DESCRIBE_GROUPS } from '../../../wire/15-describe-groups.ts'
import { LIST_GROUPS } from '../../../wire/16-list-groups.ts'
import { API_VERSIONS } from '../../../wire/18-api-versions.ts'
import { INIT_PRODUCER_ID } from '../../../wire/22-init-producer-id.ts'
import { OFFSET_FOR_LEADER_EPOCH } from '../../../wire/23-offset-for-leader-epoch.ts'
import { GET_TELEMETRY_SUBSCRIPTIONS } from '../../../wire/71-get-telemetry-subscriptions.ts'
import { PUSH_TELEMETRY } from '../../../wire/72-push-telemetry.ts'
import { DESCRIBE_TOPIC_PARTITIONS } from '../../../wire/75-describe-topic-partitions.ts'
import type { Stage } from '../../exchange.ts'
import type { AuthorizeContext, Authorizer } from './authorizer.ts'
import { CLUSTER_AUTHORIZERS } from './cluster.ts'
import { CONFIG_AUTHORIZERS } from './configs.ts'
import { authorizeFindCoordinator } from './coordinators.ts'
import { authorizeDescribeTopicPartitions } from './describe-topics.ts'
import { authorizeFetch } from './fetch.ts'
import { GROUP_ADMIN_AUTHORIZERS } from './group-admin.ts'
import { HEARTBEAT_AUTHORIZERS } from './group-heartbeats.ts'
import { authorizeDescribeGroups, authorizeListGroups } from './group-lists.ts'
import {
  authorizeHeartbeat,
  authorizeJoinGroup,
  authorizeLeaveGroup,
  authorizeSyncGroup,
} from './group-members.ts'
import { authorizeOffsetCommit, authorizeOffsetFetch } from './group-offsets.ts'
import { DESCRIBED_GROUP_AUTHORIZERS } from './groups-described.ts'
import { authorizeMetadata } from './metadata.ts'
import { authorizeListOffsets, authorizeOffsetForLeaderEpoch } from './offsets.ts'
import { authorizeProduce } from './produce.ts'
import { authorizeInitProducerId } from './producer-id.ts'
import { SESSION_AUTHORIZERS } from './sessions.ts'
import { SHARE_AUTHORIZERS, WithheldTopics } from './share-fetch.ts'
import { TOPIC_ADMIN_AUTHORIZERS } from './topic-admin.ts'
import { TRANSACTION_AUTHORIZERS } from './transactions.ts'

/**
 * Which question each API asks, and how a refusal is told: as Kafka's own authorizer (KafkaApis) tells it. An API in
 * the wire tables that is missing here would go unjudged, so the stage refuses it.
 */
export const AUTHORIZERS: ReadonlyMap<number, Authorizer> = new Map<number, Authorizer>([
  [PRODUCE.key, authorizeProduce],
  [FETCH.key, authorizeFetch],
  [LIST_OFFSETS.key, authorizeListOffsets],
  [METADATA.key, authorizeMetadata],
  [OFFSET_COMMIT.key, authorizeOffsetCommit],
  [OFFSET_FETCH.key, authorizeOffsetFetch],
  [FIND_COORDINATOR.key, authorizeFindCoordinator],
  [JOIN_GROUP.key, authorizeJoinGroup],
  [HEARTBEAT.key, authorizeHeartbeat],
  [LEAVE_GROUP.key, authorizeLeaveGroup],
  [SYNC_GROUP.key, authorizeSyncGroup],
  [DESCRIBE_GROUPS.key, authorizeDescribeGroups],
  [LIST_GROUPS.key, authorizeListGroups],
  [API_VERSIONS.key, () => undefined],
  [INIT_PRODUCER_ID.key, authorizeInitProducerId],
  [OFFSET_FOR_LEADER_EPOCH.key, authorizeOffsetForLeaderEpoch],
  [DESCRIBE_TOPIC_PARTITIONS.key, authorizeDescribeTopicPartitions],
  [GET_TELEMETRY_SUBSCRIPTIONS.key, () => undefined],
  [PUSH_TELEMETRY.key, () => undefined],
  ...TOPIC_ADMIN_AUTHORIZERS,
  ...CONFIG_AUTHORIZERS,
  ...CLUSTER_AUTHORIZERS,
  ...TRANSACTION_AUTHORIZERS,
  ...HEARTBEAT_AUTHORIZERS,
  ...DESCRIBED_GROUP_AUTHORIZERS,
  ...GROUP_ADMIN_AUTHORIZERS,
  ...SHARE_AUTHORIZERS,
  ...SESSION_AUTHORIZERS,
])

/** Builds the stage, for one connection. */
export function authorize(options: Omit<AuthorizeContext, 'withheld'>): Stage {
  const context = { ...options, withheld: new WithheldTopics() }
  return (exchange) => {
    const authorizer = AUTHORIZERS.get(exchange.api.key)
    if (authorizer === undefined) throw new Error(`nobody judges ${exchange.api.name}`)
    return authorizer(exchange, context)
  }
}
