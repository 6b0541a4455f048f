/** DeleteTopics, versions 1 to 6. 1: throttle time · 4: flexible · 5: message · 6: by name or topic id. */
import type { Api } from './api.ts'
import { array, int16, int32, nullableString, type Of, since, string, struct, until, uuid } from './codec.ts'

const request = struct({
  topics: since(6, array(struct({ name: since(6, nullableString), topicId: since(6, uuid) }))),
  topicNames: until(5, array(string)),
  timeoutMs: int32,
})

const response = struct({
  throttleTimeMs: int32,
  responses: array(
    struct({
      name: nullableString,
      topicId: since(6, uuid),
      errorCode: int16,
      errorMessage: since(5, nullableString),
    }),
  ),
})

export const DELETE_TOPICS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 20,
  name: 'DeleteTopics',
  versions: [1, 6],
  flexibleFrom: 4,
  request,
  response,
}
