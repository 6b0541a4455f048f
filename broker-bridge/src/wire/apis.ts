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
import { API_VERSIONS } from './18-api-versions.ts'
import { INIT_PRODUCER_ID } from './22-init-producer-id.ts'
import { OFFSET_FOR_LEADER_EPOCH } from './23-offset-for-leader-epoch.ts'
import { DESCRIBE_CLUSTER } from './60-describe-cluster.ts'
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
  API_VERSIONS,
  INIT_PRODUCER_ID,
  OFFSET_FOR_LEADER_EPOCH,
  DESCRIBE_CLUSTER,
]

/** Every API that the sidecar knows, by key. What is not here is neither advertised nor forwarded. */
export const APIS: ReadonlyMap<number, Api> = new Map(TABLE.map((api) => [api.key, api]))
