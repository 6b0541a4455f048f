/** The error codes of the Kafka protocol that the sidecar itself answers with (org.apache.kafka.common.protocol.Errors). */
export const KAFKA_ERROR = {
  none: 0,
  notLeaderOrFollower: 6,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  illegalSaslState: 34,
  unsupportedVersion: 35,
  transactionalIdAuthorizationFailed: 53,
  operationNotAttempted: 55,
  delegationTokenRequestNotAllowed: 64,
  fetchSessionIdNotFound: 70,
  invalidRecord: 87,
  unknownTopicId: 100,
  shareSessionNotFound: 122,
} as const

/** Kafka's own words, for the answers that carry a text. */
export const KAFKA_ERROR_TEXT = {
  [KAFKA_ERROR.topicAuthorizationFailed]: 'Topic authorization failed.',
  [KAFKA_ERROR.groupAuthorizationFailed]: 'Group authorization failed.',
  [KAFKA_ERROR.clusterAuthorizationFailed]: 'Cluster authorization failed.',
  [KAFKA_ERROR.illegalSaslState]: 'Request is not valid given the current SASL state.',
  [KAFKA_ERROR.transactionalIdAuthorizationFailed]: 'Transactional Id authorization failed.',
} as const

/** What the numbers of an offset mean where there is none. */
export const NO_OFFSET = -1n
export const NO_EPOCH = -1
