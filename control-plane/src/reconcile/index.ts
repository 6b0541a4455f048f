export { createKafkaAdmin, type KafkaAdmin, type KafkaAdminOptions } from './kafka-admin.ts'
export {
  startTopicReconciler,
  type TopicReconciler,
  type TopicReconcilerOptions,
  type TopicStatus,
} from './topic-reconciler.ts'
