/** CreateDelegationToken, versions 1 to 3. 2: flexible · 3: owner. */
import type { Api } from './api.ts'
import { array, bytes, int16, int32, int64, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  ownerPrincipalType: since(3, nullableString),
  ownerPrincipalName: since(3, nullableString),
  renewers: array(struct({ principalType: string, principalName: string })),
  maxLifetimeMs: int64,
})

const response = struct({
  errorCode: int16,
  principalType: string,
  principalName: string,
  tokenRequesterPrincipalType: since(3, string),
  tokenRequesterPrincipalName: since(3, string),
  issueTimestampMs: int64,
  expiryTimestampMs: int64,
  maxTimestampMs: int64,
  tokenId: string,
  hmac: bytes,
  throttleTimeMs: int32,
})

export const CREATE_DELEGATION_TOKEN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 38,
  name: 'CreateDelegationToken',
  versions: [1, 3],
  flexibleFrom: 2,
  request,
  response,
}
