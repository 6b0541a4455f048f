/** IncrementalAlterConfigs, versions 0 to 1. 1: flexible. */
import type { Api } from './api.ts'
import { array, bool, int8, int16, int32, nullableString, type Of, string, struct } from './codec.ts'

const request = struct({
  resources: array(
    struct({
      resourceType: int8,
      resourceName: string,
      configs: array(struct({ name: string, configOperation: int8, value: nullableString })),
    }),
  ),
  validateOnly: bool,
})

const response = struct({
  throttleTimeMs: int32,
  responses: array(
    struct({ errorCode: int16, errorMessage: nullableString, resourceType: int8, resourceName: string }),
  ),
})

export const INCREMENTAL_ALTER_CONFIGS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleFrom: 1,
  request,
  response,
}
