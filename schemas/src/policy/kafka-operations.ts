/** What Kafka itself says of its operations: org.apache.kafka.common.acl.AclOperation, and org.apache.kafka.security.authorizer.AclEntry. */
import type { KafkaAction, KafkaOperation } from './types.ts'

/** The number of each on the wire. */
export const KAFKA_OPERATION_CODES = {
  consume: 3,
  produce: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  clusterAction: 9,
  describeConfigs: 10,
  alterConfigs: 11,
  idempotentWrite: 12,
} as const satisfies Readonly<Record<KafkaOperation, number>>

/** Which of them each kind of resource knows: a broker refuses an ACL with another. */
export const KAFKA_OPERATIONS_OF: Readonly<Record<KafkaAction['resource'], readonly KafkaOperation[]>> = {
  topic: ['consume', 'produce', 'create', 'delete', 'alter', 'describe', 'describeConfigs', 'alterConfigs'],
  group: ['consume', 'delete', 'describe', 'describeConfigs', 'alterConfigs'],
  cluster: [
    'create',
    'clusterAction',
    'describeConfigs',
    'alterConfigs',
    'idempotentWrite',
    'alter',
    'describe',
  ],
  transactionalId: ['produce', 'describe'],
}
