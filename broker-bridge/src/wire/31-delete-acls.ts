/** DeleteAcls, versions 1 to 3. 1: pattern type · 2: flexible · 3: user resources. */
import type { Api } from './api.ts'
import { array, int8, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  filters: array(
    struct({
      resourceTypeFilter: int8,
      resourceNameFilter: nullableString,
      patternTypeFilter: since(1, int8, 3),
      principalFilter: nullableString,
      hostFilter: nullableString,
      operation: int8,
      permissionType: int8,
    }),
  ),
})

const response = struct({
  throttleTimeMs: int32,
  filterResults: array(
    struct({
      errorCode: int16,
      errorMessage: nullableString,
      matchingAcls: array(
        struct({
          errorCode: int16,
          errorMessage: nullableString,
          resourceType: int8,
          resourceName: string,
          patternType: since(1, int8, 3),
          principal: string,
          host: string,
          operation: int8,
          permissionType: int8,
        }),
      ),
    }),
  ),
})

export const DELETE_ACLS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 31,
  name: 'DeleteAcls',
  versions: [1, 3],
  flexibleFrom: 2,
  request,
  response,
}
