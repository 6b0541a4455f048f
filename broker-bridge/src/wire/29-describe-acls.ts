/** DescribeAcls, versions 1 to 3. 1: pattern type · 2: flexible · 3: user resources. */
import type { Api } from './api.ts'
import { array, int8, int16, int32, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  resourceTypeFilter: int8,
  resourceNameFilter: nullableString,
  patternTypeFilter: since(1, int8, 3),
  principalFilter: nullableString,
  hostFilter: nullableString,
  operation: int8,
  permissionType: int8,
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  resources: array(
    struct({
      resourceType: int8,
      resourceName: string,
      patternType: since(1, int8, 3),
      acls: array(struct({ principal: string, host: string, operation: int8, permissionType: int8 })),
    }),
  ),
})

export const DESCRIBE_ACLS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 29,
  name: 'DescribeAcls',
  versions: [1, 3],
  flexibleFrom: 2,
  request,
  response,
}
