/**
 * CreateTopics, versions 2 to 7. 2: throttle time · 4: partitions and replication factor may be left to the broker
 * (KIP-464) · 5: flexible, configs in the answer (KIP-525) · 6: THROTTLING_QUOTA_EXCEEDED · 7: topic id in the
 * answer.
 */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uuid,
} from './codec.ts'

const request = struct({
  topics: array(
    struct({
      name: string,
      numPartitions: int32,
      replicationFactor: int16,
      assignments: array(struct({ index: int32, brokerIds: array(int32) })),
      configs: array(struct({ name: string, value: nullableString })),
    }),
  ),
  timeoutMs: since(0, int32, 60000),
  validateOnly: bool,
})

const response = struct({
  throttleTimeMs: int32,
  topics: array(
    struct({
      name: string,
      topicId: since(7, uuid),
      errorCode: int16,
      errorMessage: nullableString,
      numPartitions: since(5, int32, -1),
      replicationFactor: since(5, int16, -1),
      configs: since(
        5,
        nullableArray(
          struct({
            name: since(5, string),
            value: since(5, nullableString),
            readOnly: since(5, bool),
            configSource: since(5, int8, -1),
            isSensitive: since(5, bool),
          }),
        ),
      ),
    }),
  ),
})

export const CREATE_TOPICS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleFrom: 5,
  request,
  response,
}
