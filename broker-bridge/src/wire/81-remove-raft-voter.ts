/** RemoveRaftVoter, version 0, flexible. KIP-853. */
import type { Api } from './api.ts'
import { int16, int32, nullableString, type Of, struct, uuid } from './codec.ts'

const request = struct({ clusterId: nullableString, voterId: int32, voterDirectoryId: uuid })

const response = struct({ throttleTimeMs: int32, errorCode: int16, errorMessage: nullableString })

export const REMOVE_RAFT_VOTER: Api<Of<typeof request>, Of<typeof response>> = {
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexibleFrom: 0,
  request,
  response,
}
