/** DescribeClientQuotas, versions 0 to 1. 1: flexible. */
import type { Api } from './api.ts'
import {
  array,
  bool,
  float64,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  type Of,
  string,
  struct,
} from './codec.ts'

const request = struct({
  components: array(struct({ entityType: string, matchType: int8, match: nullableString })),
  strict: bool,
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  entries: nullableArray(
    struct({
      entity: array(struct({ entityType: string, entityName: nullableString })),
      values: array(struct({ key: string, value: float64 })),
    }),
  ),
})

export const DESCRIBE_CLIENT_QUOTAS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 48,
  name: 'DescribeClientQuotas',
  versions: [0, 1],
  flexibleFrom: 1,
  request,
  response,
}
