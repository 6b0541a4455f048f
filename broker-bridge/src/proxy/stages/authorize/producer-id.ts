import { INIT_PRODUCER_ID } from '../../../wire/22-init-producer-id.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'

/**
 * InitProducerId: WRITE on the transactional id. Without one (an idempotent producer) the right to produce anything
 * is enough, and each Produce is judged by itself: allowed.
 */
export const authorizeInitProducerId: Authorizer = (exchange, { access }) => {
  const id = exchange.read(INIT_PRODUCER_ID).transactionalId
  if (id === null || access.allows('transactionalId', id, 'produce')) return undefined
  exchange.answer(INIT_PRODUCER_ID, {
    throttleTimeMs: 0,
    errorCode: KAFKA_ERROR.transactionalIdAuthorizationFailed,
    producerId: -1n,
    producerEpoch: -1,
    tags: [],
  })
  return undefined
}
