import { OPERATIONS_NOT_ASKED } from '../../../wire/03-metadata.ts'
import { DESCRIBE_GROUPS } from '../../../wire/15-describe-groups.ts'
import { LIST_GROUPS } from '../../../wire/16-list-groups.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'
import { inClientOrder } from './merge.ts'
import { authorizedOperations, CLUSTER_NAME } from './operations.ts'

/** DescribeGroups: DESCRIBE on each group. */
export const authorizeDescribeGroups: Authorizer = (exchange, { access }) => {
  const request = exchange.read(DESCRIBE_GROUPS)
  const kept = request.groups.filter((group) => access.allows('group', group, 'describe'))
  const refused = request.groups.filter((group) => !kept.includes(group)).map(refusal)
  if (kept.length === 0 && refused.length > 0) {
    exchange.answer(DESCRIBE_GROUPS, { ...DESCRIBE_GROUPS.response.absent, groups: refused })
    return undefined
  }
  if (refused.length > 0) exchange.write(DESCRIBE_GROUPS, { ...request, groups: kept })
  return (answer) => {
    const message = answer.message(DESCRIBE_GROUPS)
    for (const group of message.groups)
      group.authorizedOperations = authorizedOperations(
        access,
        group.authorizedOperations,
        'group',
        group.groupId,
      )
    message.groups = inClientOrder(request.groups, [...message.groups, ...refused], ({ groupId }) => groupId)
    answer.changed()
    return undefined
  }
}

const refusal = (groupId: string) => ({
  errorCode: KAFKA_ERROR.groupAuthorizationFailed,
  errorMessage: null,
  groupId,
  groupState: '',
  protocolType: '',
  protocolData: '',
  members: [],
  authorizedOperations: OPERATIONS_NOT_ASKED,
  tags: [],
})

/** ListGroups: DESCRIBE on the cluster shows all of them, else those that the caller may describe. */
export const authorizeListGroups: Authorizer =
  (_exchange, { access }) =>
  (answer) => {
    if (access.sees('cluster', CLUSTER_NAME, 'describe')) return undefined
    const message = answer.message(LIST_GROUPS)
    message.groups = message.groups.filter(({ groupId }) => access.sees('group', groupId, 'describe'))
    answer.changed()
    return undefined
  }
