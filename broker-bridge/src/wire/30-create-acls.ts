/** CreateAcls, versions 1 to 3. 1: pattern type · 2: flexible · 3: user resources. */
import type { Api } from './api.ts'
import { array, int8, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  creations: array(
    struct({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: since(1, int8, 3),
      principal: string,
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  ),
})

const response = struct({
  throttleTimeMs: int32,
  results: array(struct({ errorCode: int16, errorMessage: nullableString })),
})

export const CREATE_ACLS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 30,
  name: 'CreateAcls',
  versions: [1, 3],
  flexibleFrom: 2,
  request,
  response,
}
