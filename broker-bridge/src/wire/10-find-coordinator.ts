/**
 * FindCoordinator, versions 0 to 6. 1: key type, throttle time, message · 3: flexible · 4: several keys ·
 * 5: TRANSACTION_ABORTABLE · 6: share groups.
 */
import type { Api } from './api.ts'
import { array, int8, int16, int32, nullableString, type Of, since, string, struct, until } from './codec.ts'

export const COORDINATOR_OF_GROUP = 0
export const COORDINATOR_OF_TRANSACTION = 1
export const COORDINATOR_OF_SHARE = 2

const request = struct({
  key: until(3, string),
  keyType: since(1, int8, COORDINATOR_OF_GROUP),
  coordinatorKeys: since(4, array(string)),
})

const response = struct({
  throttleTimeMs: since(1, int32),
  errorCode: until(3, int16),
  errorMessage: until(3, since(1, nullableString)),
  nodeId: until(3, int32),
  host: until(3, string),
  port: until(3, int32),
  coordinators: since(
    4,
    array(
      struct({
        key: string,
        nodeId: int32,
        host: string,
        port: int32,
        errorCode: int16,
        errorMessage: nullableString,
      }),
    ),
  ),
})

export const FIND_COORDINATOR: Api<Of<typeof request>, Of<typeof response>> = {
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleFrom: 3,
  request,
  response,
}
