import {
  COORDINATOR_OF_GROUP,
  COORDINATOR_OF_SHARE,
  COORDINATOR_OF_TRANSACTION,
  FIND_COORDINATOR,
} from '../../../wire/10-find-coordinator.ts'
import { KAFKA_ERROR, KAFKA_ERROR_TEXT } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { CLUSTER_NAME } from './operations.ts'

type Refusal =
  | typeof KAFKA_ERROR.groupAuthorizationFailed
  | typeof KAFKA_ERROR.transactionalIdAuthorizationFailed
  | typeof KAFKA_ERROR.clusterAuthorizationFailed

/** By key type. */
const REFUSALS: Readonly<Record<number, Refusal>> = {
  [COORDINATOR_OF_GROUP]: KAFKA_ERROR.groupAuthorizationFailed,
  [COORDINATOR_OF_TRANSACTION]: KAFKA_ERROR.transactionalIdAuthorizationFailed,
}

/** FindCoordinator: DESCRIBE on the group or transactional id. Those of share groups are for brokers to ask about. */
export const authorizeFindCoordinator: Authorizer = (exchange, { access }) => {
  const request = exchange.read(FIND_COORDINATOR)
  const isAllowed = (key: string): boolean => {
    if (request.keyType === COORDINATOR_OF_GROUP) return access.allows('group', key, 'describe')
    if (request.keyType === COORDINATOR_OF_TRANSACTION)
      return access.allows('transactionalId', key, 'describe')
    const isOfShare = request.keyType === COORDINATOR_OF_SHARE && exchange.version >= 6
    return !isOfShare || access.allows('cluster', CLUSTER_NAME, 'clusterAction')
  }
  const errorCode = REFUSALS[request.keyType] ?? KAFKA_ERROR.clusterAuthorizationFailed

  if (exchange.version < 4) {
    if (!isAllowed(request.key))
      exchange.answer(FIND_COORDINATOR, {
        ...FIND_COORDINATOR.response.absent,
        ...refusal(request.key, errorCode),
      })
    return undefined
  }
  const asked = request.coordinatorKeys
  const kept = asked.filter(isAllowed)
  if (kept.length === asked.length) return undefined
  const refusals = asked.filter((key) => !kept.includes(key)).map((key) => refusal(key, errorCode))
  if (kept.length === 0) {
    exchange.answer(FIND_COORDINATOR, { ...FIND_COORDINATOR.response.absent, coordinators: refusals })
    return undefined
  }
  exchange.write(FIND_COORDINATOR, { ...request, coordinatorKeys: kept })
  return (answer) => {
    const message = answer.message(FIND_COORDINATOR)
    message.coordinators = inClientOrder(asked, [...message.coordinators, ...refusals], ({ key }) => key)
    answer.changed()
    return undefined
  }
}

const refusal = (key: string, errorCode: Refusal) => ({
  key,
  nodeId: -1,
  host: '',
  port: -1,
  errorCode,
  errorMessage: KAFKA_ERROR_TEXT[errorCode],
  tags: [],
})
