export { mayProduceSomewhere } from './any-topic.ts'
export { decide, expandPlaceholders, type PolicyIndex, speaksOf, subjectOf } from './decide.ts'
export { matchesGlob } from './glob.ts'
export { KAFKA_OPERATION_CODES, KAFKA_OPERATIONS_OF } from './kafka-operations.ts'
export { normalisePath } from './path.ts'
export { type Permits, permitsOf } from './permits.ts'
export {
  type AccessPolicySpec,
  type Action,
  type Decision,
  type DecisionReason,
  type HttpAction,
  type HttpMatch,
  type JwtMatch,
  KAFKA_OPERATIONS,
  type KafkaAction,
  type KafkaMatch,
  type KafkaOperation,
  type NamedPolicy,
  type OperationMatch,
  type PolicyRule,
  type PolicyTarget,
  type ProvenToken,
  type SourceMatch,
  type Subject,
  type TcpAction,
} from './types.ts'
