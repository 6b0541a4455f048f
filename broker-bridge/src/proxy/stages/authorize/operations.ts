import type { KafkaOperation } from '@weft/schemas/policy'
import { OPERATIONS_NOT_ASKED } from '../../../wire/03-metadata.ts'
import type { Access, Resource } from '../../access.ts'

/** Name of the one resource of type cluster (org.apache.kafka.common.resource.Resource.CLUSTER_NAME). */
export const CLUSTER_NAME = 'kafka-cluster'

/** Bit numbers of AclOperation. */
const BITS: Readonly<Record<KafkaOperation, number>> = {
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
}

/** Which operations each kind of resource knows (org.apache.kafka.security.authorizer.AclEntry). */
const KNOWN: Readonly<Record<Resource, readonly KafkaOperation[]>> = {
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

/** The bit field "what may I do to this?"; as it came where the client did not ask. */
export function authorizedOperations(access: Access, came: number, resource: Resource, name: string): number {
  if (came === OPERATIONS_NOT_ASKED) return came
  return KNOWN[resource]
    .filter((operation) => access.sees(resource, name, operation))
    .reduce((bits, operation) => bits | (1 << BITS[operation]), 0)
}

/** The same for the cluster: nothing, for who may not describe it. */
export function clusterOperations(access: Access, came: number): number {
  if (came === OPERATIONS_NOT_ASKED || access.sees('cluster', CLUSTER_NAME, 'describe'))
    return authorizedOperations(access, came, 'cluster', CLUSTER_NAME)
  return 0
}
