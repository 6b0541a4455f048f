/** AlterClientQuotas, versions 0 to 1. 1: flexible. */
import type { Api } from './api.ts'
import { array, bool, float64, int16, int32, nullableString, type Of, string, struct } from './codec.ts'

const request = struct({
  entries: array(
    struct({
      entity: array(struct({ entityType: string, entityName: nullableString })),
      ops: array(struct({ key: string, value: float64, remove: bool })),
    }),
  ),
  validateOnly: bool,
})

const response = struct({
  throttleTimeMs: int32,
  entries: array(
    struct({
      errorCode: int16,
      errorMessage: nullableString,
      entity: array(struct({ entityType: string, entityName: nullableString })),
    }),
  ),
})

export const ALTER_CLIENT_QUOTAS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 49,
  name: 'AlterClientQuotas',
  versions: [0, 1],
  flexibleFrom: 1,
  request,
  response,
}
