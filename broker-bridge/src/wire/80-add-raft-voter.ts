/** AddRaftVoter, versions 0 to 1, all flexible. KIP-853. 1: acknowledgement when committed. */
import type { Api } from './api.ts'
import {
  array,
  bool,
  int16,
  int32,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uint16,
  uuid,
} from './codec.ts'

const request = struct({
  clusterId: nullableString,
  timeoutMs: int32,
  voterId: int32,
  voterDirectoryId: uuid,
  listeners: array(struct({ name: string, host: string, port: uint16 })),
  ackWhenCommitted: since(1, bool, true),
})

const response = struct({ throttleTimeMs: int32, errorCode: int16, errorMessage: nullableString })

export const ADD_RAFT_VOTER: Api<Of<typeof request>, Of<typeof response>> = {
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexibleFrom: 0,
  request,
  response,
}
