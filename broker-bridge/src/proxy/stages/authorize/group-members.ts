/** What members of a classic group do: READ on the group. */
import { JOIN_GROUP } from '../../../wire/11-join-group.ts'
import { HEARTBEAT } from '../../../wire/12-heartbeat.ts'
import { LEAVE_GROUP } from '../../../wire/13-leave-group.ts'
import { SYNC_GROUP } from '../../../wire/14-sync-group.ts'
import { KAFKA_ERROR } from '../../../wire/error-codes.ts'
import type { Authorizer } from './authorizer.ts'

const errorCode = KAFKA_ERROR.groupAuthorizationFailed

export const authorizeJoinGroup: Authorizer = (exchange, { access }) => {
  const { groupId, memberId } = exchange.read(JOIN_GROUP)
  if (access.allows('group', groupId, 'consume')) return undefined
  exchange.answer(JOIN_GROUP, {
    ...JOIN_GROUP.response.absent,
    errorCode,
    generationId: -1,
    memberId,
    // Null is allowed from version 7 on.
    protocolName: exchange.version >= 7 ? null : '',
  })
  return undefined
}

export const authorizeSyncGroup: Authorizer = (exchange, { access }) => {
  if (!access.allows('group', exchange.read(SYNC_GROUP).groupId, 'consume'))
    exchange.answer(SYNC_GROUP, { ...SYNC_GROUP.response.absent, errorCode })
  return undefined
}

export const authorizeHeartbeat: Authorizer = (exchange, { access }) => {
  if (!access.allows('group', exchange.read(HEARTBEAT).groupId, 'consume'))
    exchange.answer(HEARTBEAT, { ...HEARTBEAT.response.absent, errorCode })
  return undefined
}

export const authorizeLeaveGroup: Authorizer = (exchange, { access }) => {
  if (!access.allows('group', exchange.read(LEAVE_GROUP).groupId, 'consume'))
    exchange.answer(LEAVE_GROUP, { ...LEAVE_GROUP.response.absent, errorCode })
  return undefined
}
