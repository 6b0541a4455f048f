/** DescribeUserScramCredentials, version 0, flexible. */
import type { Api } from './api.ts'
import { array, int8, int16, int32, nullableArray, nullableString, type Of, string, struct } from './codec.ts'

const request = struct({ users: nullableArray(struct({ name: string })) })

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  errorMessage: nullableString,
  results: array(
    struct({
      user: string,
      errorCode: int16,
      errorMessage: nullableString,
      credentialInfos: array(struct({ mechanism: int8, iterations: int32 })),
    }),
  ),
})

export const DESCRIBE_USER_SCRAM_CREDENTIALS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
