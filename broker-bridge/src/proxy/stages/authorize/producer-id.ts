import { INIT_PRODUCER_ID } from '../../../wire/22-init-producer-id.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'
import { CLUSTER_NAME } from './operations.ts'

/**
 * InitProducerId: WRITE on the transactional id. Without one (an idempotent producer) IDEMPOTENT_WRITE on the cluster, or
 * the right to produce anything: each Produce is judged by itself.
 */
export const authorizeInitProducerId: Authorizer = (exchange, { access }) => {
  const id = exchange.read(INIT_PRODUCER_ID).transactionalId
  const isAllowed =
    id === null
      ? access.mayProduceSomewhere() || access.allows('cluster', CLUSTER_NAME, 'idempotentWrite')
      : access.allows('transactionalId', id, 'produce')
  if (isAllowed) return undefined
  exchange.answer(INIT_PRODUCER_ID, {
    throttleTimeMs: 0,
    errorCode:
      id === null ? KAFKA_ERROR.clusterAuthorizationFailed : KAFKA_ERROR.transactionalIdAuthorizationFailed,
    producerId: -1n,
    producerEpoch: -1,
    tags: [],
  })
  return undefined
}
