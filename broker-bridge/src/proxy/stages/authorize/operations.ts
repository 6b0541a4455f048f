import { KAFKA_OPERATION_CODES, KAFKA_OPERATIONS_OF } from '@weft/schemas/policy'
import { OPERATIONS_NOT_ASKED } from '../../../wire/03-metadata.ts'
import type { Access, Resource } from '../../access.ts'

/** Name of the one resource of type cluster (org.apache.kafka.common.resource.Resource.CLUSTER_NAME). */
export const CLUSTER_NAME = 'kafka-cluster'

/** The bit field "what may I do to this?"; as it came where the client did not ask. */
export function authorizedOperations(access: Access, came: number, resource: Resource, name: string): number {
  if (came === OPERATIONS_NOT_ASKED) return came
  return KAFKA_OPERATIONS_OF[resource]
    .filter((operation) => access.sees(resource, name, operation))
    .reduce((bits, operation) => bits | (1 << KAFKA_OPERATION_CODES[operation]), 0)
}

/** The same for the cluster: nothing, for who may not describe it. */
export function clusterOperations(access: Access, came: number): number {
  if (came === OPERATIONS_NOT_ASKED || access.sees('cluster', CLUSTER_NAME, 'describe'))
    return authorizedOperations(access, came, 'cluster', CLUSTER_NAME)
  return 0
}
