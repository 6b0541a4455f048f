/** What administrators ask: topics, configs, ACLs, quotas, the cluster. */
import { SASL_HANDSHAKE } from '../../../broker-bridge/src/wire/17-sasl-handshake.ts'
import { CREATE_TOPICS } from '../../../broker-bridge/src/wire/19-create-topics.ts'
import { DELETE_TOPICS } from '../../../broker-bridge/src/wire/20-delete-topics.ts'
import { DELETE_RECORDS } from '../../../broker-bridge/src/wire/21-delete-records.ts'
import { DESCRIBE_ACLS } from '../../../broker-bridge/src/wire/29-describe-acls.ts'
import { CREATE_ACLS } from '../../../broker-bridge/src/wire/30-create-acls.ts'
import { DELETE_ACLS } from '../../../broker-bridge/src/wire/31-delete-acls.ts'
import { DESCRIBE_CONFIGS } from '../../../broker-bridge/src/wire/32-describe-configs.ts'
import { ALTER_CONFIGS } from '../../../broker-bridge/src/wire/33-alter-configs.ts'
import { ALTER_REPLICA_LOG_DIRS } from '../../../broker-bridge/src/wire/34-alter-replica-log-dirs.ts'
import { DESCRIBE_LOG_DIRS } from '../../../broker-bridge/src/wire/35-describe-log-dirs.ts'
import { CREATE_PARTITIONS } from '../../../broker-bridge/src/wire/37-create-partitions.ts'
import { DESCRIBE_DELEGATION_TOKEN } from '../../../broker-bridge/src/wire/41-describe-delegation-token.ts'
import { ELECT_LEADERS } from '../../../broker-bridge/src/wire/43-elect-leaders.ts'
import { INCREMENTAL_ALTER_CONFIGS } from '../../../broker-bridge/src/wire/44-incremental-alter-configs.ts'
import { ALTER_PARTITION_REASSIGNMENTS } from '../../../broker-bridge/src/wire/45-alter-partition-reassignments.ts'
import { LIST_PARTITION_REASSIGNMENTS } from '../../../broker-bridge/src/wire/46-list-partition-reassignments.ts'
import { DESCRIBE_CLIENT_QUOTAS } from '../../../broker-bridge/src/wire/48-describe-client-quotas.ts'
import { ALTER_CLIENT_QUOTAS } from '../../../broker-bridge/src/wire/49-alter-client-quotas.ts'
import { DESCRIBE_USER_SCRAM_CREDENTIALS } from '../../../broker-bridge/src/wire/50-describe-user-scram-credentials.ts'
import { ALTER_USER_SCRAM_CREDENTIALS } from '../../../broker-bridge/src/wire/51-alter-user-scram-credentials.ts'
import { DESCRIBE_QUORUM } from '../../../broker-bridge/src/wire/55-describe-quorum.ts'
import { UPDATE_FEATURES } from '../../../broker-bridge/src/wire/57-update-features.ts'
import { UNREGISTER_BROKER } from '../../../broker-bridge/src/wire/64-unregister-broker.ts'
import { GET_TELEMETRY_SUBSCRIPTIONS } from '../../../broker-bridge/src/wire/71-get-telemetry-subscriptions.ts'
import { LIST_CONFIG_RESOURCES } from '../../../broker-bridge/src/wire/74-list-config-resources.ts'
import { NO_TOPIC_ID } from '../../../broker-bridge/src/wire/codec.ts'
import { TOPICS } from './principals.ts'
import { ALL, type Asking, ask, type Case } from './requests.ts'

const madeTopic = (name: string) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  tags: [],
})

/** Types of ConfigResource: topic, broker, group. */
const CONFIG_RESOURCES = [
  ...Object.keys(TOPICS).map((resourceName) => ({ resourceType: 2, resourceName })),
  { resourceType: 4, resourceName: '1' },
  { resourceType: 32, resourceName: 'theirs' },
]

const acl = ({ own }: Asking) => ({
  resourceType: 2,
  resourceName: `acl-${own}`,
  resourcePatternType: 3,
  principal: 'User:somebody',
  host: '*',
  operation: 3,
  permissionType: 3,
  tags: [],
})

const aclFilter = (asking: Asking) => ({
  resourceTypeFilter: 2,
  resourceNameFilter: `acl-${asking.own}`,
  patternTypeFilter: 3,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
  tags: [],
})

export const ADMIN_CASES: readonly Case[] = [
  ask(
    CREATE_TOPICS,
    'some permitted',
    ({ own }) => ({
      topics: [madeTopic(`made-${own}`), madeTopic(`other-${own}`)],
      timeoutMs: 10_000,
    }),
    ['topicId'],
  ), // made for this answer
  ask(
    CREATE_TOPICS,
    'none permitted, tried only',
    ({ own }) => ({
      topics: [madeTopic(`elsewhere-${own}`)],
      timeoutMs: 10_000,
      validateOnly: true,
    }),
    ['topicId'],
  ),
  ask(CREATE_PARTITIONS, 'some permitted', ({ own }) => ({
    topics: [`made-${own}`, 'secret'].map((name) => ({ name, count: 2, assignments: null, tags: [] })),
    timeoutMs: 10_000,
    validateOnly: true,
  })),
  ask(DELETE_TOPICS, 'some permitted', ({ own, version }) => {
    const names = [`made-${own}`, 'both-not-there']
    return version >= 6
      ? { topics: names.map((name) => ({ name, topicId: NO_TOPIC_ID, tags: [] })), timeoutMs: 10_000 }
      : { topicNames: names, timeoutMs: 10_000 }
  }),
  ask(DELETE_RECORDS, 'some permitted', () => ({
    topics: ALL.map((name) => ({ name, partitions: [{ index: 0, offset: 0n, tags: [] }], tags: [] })),
    timeoutMs: 10_000,
  })),
  ask(DESCRIBE_CONFIGS, 'of all kinds', () => ({
    resources: CONFIG_RESOURCES.map((each) => ({
      ...each,
      configurationKeys: ['cleanup.policy', 'message.max.bytes'],
      tags: [],
    })),
  })),
  ask(ALTER_CONFIGS, 'of all kinds, tried only', () => ({
    resources: CONFIG_RESOURCES.filter(({ resourceType }) => resourceType === 2).map((each) => ({
      ...each,
      configs: [{ name: 'retention.ms', value: '1000000', tags: [] }],
      tags: [],
    })),
    validateOnly: true,
  })),
  ask(INCREMENTAL_ALTER_CONFIGS, 'of all kinds, tried only', () => ({
    resources: CONFIG_RESOURCES.filter(({ resourceType }) => resourceType === 2).map((each) => ({
      ...each,
      configs: [{ name: 'retention.ms', configOperation: 0, value: '1000000', tags: [] }],
      tags: [],
    })),
    validateOnly: true,
  })),
  ask(DESCRIBE_ACLS, 'of one name', (asking) => ({ ...aclFilter(asking) })),
  ask(CREATE_ACLS, 'one', (asking) => ({ creations: [acl(asking)] })),
  ask(DELETE_ACLS, 'one', (asking) => ({ filters: [aclFilter(asking)] })),
  ask(DESCRIBE_LOG_DIRS, 'one topic', () => ({ topics: [{ name: 'both', partitions: [0], tags: [] }] })),
  ask(ALTER_REPLICA_LOG_DIRS, 'a folder that is not there', () => ({
    dirs: [{ path: '/nowhere', topics: [{ name: 'both', partitions: [0], tags: [] }], tags: [] }],
  })),
  ask(ELECT_LEADERS, 'one', () => ({
    topicPartitions: [{ name: 'both', partitions: [0], tags: [] }],
    timeoutMs: 10_000,
  })),
  ask(ALTER_PARTITION_REASSIGNMENTS, 'a cancellation of nothing', () => ({
    topics: [{ name: 'both', partitions: [{ index: 0, replicas: null, tags: [] }], tags: [] }],
    timeoutMs: 10_000,
  })),
  ask(LIST_PARTITION_REASSIGNMENTS, 'one', () => ({
    topics: [{ name: 'both', partitionIndexes: [0], tags: [] }],
    timeoutMs: 10_000,
  })),
  ask(DESCRIBE_CLIENT_QUOTAS, 'all', () => ({ components: [] })),
  ask(ALTER_CLIENT_QUOTAS, 'tried only', () => ({
    entries: [
      {
        entity: [{ entityType: 'user', entityName: 'somebody', tags: [] }],
        ops: [{ key: 'producer_byte_rate', value: 1_000, remove: false, tags: [] }],
        tags: [],
      },
    ],
    validateOnly: true,
  })),
  ask(DESCRIBE_USER_SCRAM_CREDENTIALS, 'one', () => ({ users: [{ name: 'somebody', tags: [] }] })),
  ask(ALTER_USER_SCRAM_CREDENTIALS, 'of nobody', () => ({
    deletions: [{ name: 'nobody-there', mechanism: 1, tags: [] }],
  })),
  ask(
    DESCRIBE_QUORUM,
    'the metadata',
    () => ({
      topics: [{ name: '__cluster_metadata', partitions: [{ index: 0, tags: [] }], tags: [] }],
    }),
    ['nodes'],
  ), // addresses of controllers, which have no listener here
  ask(UPDATE_FEATURES, 'none', () => ({ timeoutMs: 10_000, validateOnly: true })),
  ask(UNREGISTER_BROKER, 'one that is not there', () => ({ brokerId: 77 })),
  ask(LIST_CONFIG_RESOURCES, 'all', () => ({})),
  ask(GET_TELEMETRY_SUBSCRIPTIONS, 'the first time', () => ({})),
  // The sidecar hands out no tokens; this broker has none either, and says so with another code.
  ask(DESCRIBE_DELEGATION_TOKEN, 'all', () => ({ owners: null }), ['errorCode']),
  ask(SASL_HANDSHAKE, 'too late', () => ({ mechanism: 'PLAIN' })),
]
