/**
 * DescribeQuorum, versions 0 to 2, all flexible. 1: fetch and caught-up times (KIP-836) · 2: messages, nodes,
 * directories (KIP-853).
 */
import type { Api } from './api.ts'
import {
  array,
  int16,
  int32,
  int64,
  nullableString,
  type Of,
  since,
  string,
  struct,
  uint16,
  uuid,
} from './codec.ts'

const replicaState = struct({
  replicaId: int32,
  replicaDirectoryId: since(2, uuid),
  logEndOffset: int64,
  lastFetchTimestamp: since(1, int64, -1n),
  lastCaughtUpTimestamp: since(1, int64, -1n),
})

const request = struct({
  topics: array(struct({ name: string, partitions: array(struct({ index: int32 })) })),
})

const response = struct({
  errorCode: int16,
  errorMessage: since(2, nullableString),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          errorMessage: since(2, nullableString),
          leaderId: int32,
          leaderEpoch: int32,
          highWatermark: int64,
          currentVoters: array(replicaState),
          observers: array(replicaState),
        }),
      ),
    }),
  ),
  nodes: since(
    2,
    array(
      struct({
        nodeId: since(2, int32),
        listeners: since(
          2,
          array(struct({ name: since(2, string), host: since(2, string), port: since(2, uint16) })),
        ),
      }),
    ),
  ),
})

export const DESCRIBE_QUORUM: Api<Of<typeof request>, Of<typeof response>> = {
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexibleFrom: 0,
  request,
  response,
}
