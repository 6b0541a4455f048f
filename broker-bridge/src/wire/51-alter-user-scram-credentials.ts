/** AlterUserScramCredentials, version 0, flexible. */
import type { Api } from './api.ts'
import { array, bytes, int8, int16, int32, nullableString, type Of, string, struct } from './codec.ts'

const request = struct({
  deletions: array(struct({ name: string, mechanism: int8 })),
  upsertions: array(
    struct({ name: string, mechanism: int8, iterations: int32, salt: bytes, saltedPassword: bytes }),
  ),
})

const response = struct({
  throttleTimeMs: int32,
  results: array(struct({ user: string, errorCode: int16, errorMessage: nullableString })),
})

export const ALTER_USER_SCRAM_CREDENTIALS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 51,
  name: 'AlterUserScramCredentials',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
