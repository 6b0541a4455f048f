export { decide, matchesGlob, type PolicyIndex, subjectOf } from './decide.ts'
export { normalisePath } from './path.ts'
export {
  type AccessPolicySpec,
  type Action,
  type Decision,
  type DecisionReason,
  type HttpAction,
  type HttpMatch,
  KAFKA_OPERATIONS,
  type KafkaAction,
  type KafkaMatch,
  type KafkaOperation,
  type NamedPolicy,
  type OperationMatch,
  type PolicyRule,
  type PolicyTarget,
  type SourceMatch,
  type Subject,
} from './types.ts'
