/** The error codes of the Kafka protocol that the sidecar itself answers with (org.apache.kafka.common.protocol.Errors). */
export const KAFKA_ERROR = {
  none: 0,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  unsupportedVersion: 35,
  transactionalIdAuthorizationFailed: 53,
  fetchSessionIdNotFound: 70,
} as const

/** Kafka's own words, for the answers that carry a text. */
export const KAFKA_ERROR_TEXT: Readonly<Record<number, string>> = {
  [KAFKA_ERROR.topicAuthorizationFailed]: 'Topic authorization failed.',
  [KAFKA_ERROR.groupAuthorizationFailed]: 'Group authorization failed.',
  [KAFKA_ERROR.transactionalIdAuthorizationFailed]: 'Transactional Id authorization failed.',
}

/** What the numbers of an offset mean where there is none. */
export const NO_OFFSET = -1n
export const NO_EPOCH = -1
