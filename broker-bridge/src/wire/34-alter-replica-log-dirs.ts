/** AlterReplicaLogDirs, versions 1 to 2. 2: flexible. */
import type { Api } from './api.ts'
import { array, int16, int32, type Of, string, struct } from './codec.ts'

const request = struct({
  dirs: array(struct({ path: string, topics: array(struct({ name: string, partitions: array(int32) })) })),
})

const response = struct({
  throttleTimeMs: int32,
  results: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
})

export const ALTER_REPLICA_LOG_DIRS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 34,
  name: 'AlterReplicaLogDirs',
  versions: [1, 2],
  flexibleFrom: 2,
  request,
  response,
}
