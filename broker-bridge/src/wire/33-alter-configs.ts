/** AlterConfigs, versions 0 to 2. 2: flexible. */
import type { Api } from './api.ts'
import { array, bool, int8, int16, int32, nullableString, type Of, string, struct } from './codec.ts'

const request = struct({
  resources: array(
    struct({
      resourceType: int8,
      resourceName: string,
      configs: array(struct({ name: string, value: nullableString })),
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

export const ALTER_CONFIGS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleFrom: 2,
  request,
  response,
}
