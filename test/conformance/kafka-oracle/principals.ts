/** Who asks, and what the mesh lets them do. */
import type { KafkaOperation, NamedPolicy, PolicyTarget } from '@weft/schemas/policy'

export const PRINCIPALS = ['app', 'operator', 'nobody'] as const
export type Principal = (typeof PRINCIPALS)[number]

/** Topics of the test, and what `app` may do with them. */
export const TOPICS = {
  both: ['produce', 'consume', 'describeConfigs'],
  'read-only': ['consume'],
  'write-only': ['produce', 'alterConfigs'],
  seen: ['describe'],
  secret: [],
} as const satisfies Readonly<Record<string, readonly KafkaOperation[]>>

let count = 0
const policy = (
  target: PolicyTarget,
  serviceAccount: Principal,
  operations: readonly KafkaOperation[],
  groups?: readonly string[],
): NamedPolicy => ({
  name: `policy-${count++}`,
  namespace: 'default',
  target,
  action: 'allow',
  mode: 'enforce',
  rules: [
    {
      from: [{ serviceAccount }],
      to: [{ kafka: { operations, ...(groups !== undefined && { groups }) } }],
    },
  ],
})

const ofApp = Object.entries(TOPICS)
  .filter(([, operations]) => operations.length > 0)
  .map(([topic, operations]) => policy({ topic }, 'app', operations))

export const POLICIES: readonly NamedPolicy[] = [
  ...ofApp,
  policy({ topic: 'both' }, 'app', ['consume'], ['app-*']),
  policy({ topic: 'made-*' }, 'app', ['create', 'delete', 'alter']),
  policy({ group: 'app-owned-*' }, 'app', ['delete', 'consume', 'describe']),
  policy({ transactionalId: 'app-*' }, 'app', ['produce']),
  { ...policy({ topic: 'write-only' }, 'app', ['describeConfigs']), action: 'deny' },
  policy({ topic: '*' }, 'operator', [
    'describe',
    'create',
    'delete',
    'alter',
    'describeConfigs',
    'alterConfigs',
  ]),
  policy({ group: '*' }, 'operator', ['describe', 'delete', 'describeConfigs', 'alterConfigs']),
  policy({ transactionalId: '*' }, 'operator', ['describe']),
  policy({ cluster: true }, 'operator', [
    'describe',
    'alter',
    'create',
    'describeConfigs',
    'alterConfigs',
    'clusterAction',
    'idempotentWrite',
  ]),
]
