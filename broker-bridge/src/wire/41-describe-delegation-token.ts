/** DescribeDelegationToken, versions 1 to 3. 2: flexible · 3: requester. */
import type { Api } from './api.ts'
import { array, bytes, int16, int32, int64, nullableArray, type Of, since, string, struct } from './codec.ts'

const request = struct({ owners: nullableArray(struct({ principalType: string, principalName: string })) })

const response = struct({
  errorCode: int16,
  tokens: array(
    struct({
      principalType: string,
      principalName: string,
      tokenRequesterPrincipalType: since(3, string),
      tokenRequesterPrincipalName: since(3, string),
      issueTimestamp: int64,
      expiryTimestamp: int64,
      maxTimestamp: int64,
      tokenId: string,
      hmac: bytes,
      renewers: array(struct({ principalType: string, principalName: string })),
    }),
  ),
  throttleTimeMs: int32,
})

export const DESCRIBE_DELEGATION_TOKEN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 41,
  name: 'DescribeDelegationToken',
  versions: [1, 3],
  flexibleFrom: 2,
  request,
  response,
}
