/** ListTransactions, versions 0 to 2, all flexible. 1: by duration (KIP-994) · 2: by pattern (KIP-1152). */
import type { Api } from './api.ts'
import { array, int16, int32, int64, nullableString, type Of, since, string, struct } from './codec.ts'

const request = struct({
  stateFilters: array(string),
  producerIdFilters: array(int64),
  durationFilter: since(1, int64, -1n),
  transactionalIdPattern: since(2, nullableString),
})

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  unknownStateFilters: array(string),
  transactionStates: array(struct({ transactionalId: string, producerId: int64, transactionState: string })),
})

export const LIST_TRANSACTIONS: Api<Of<typeof request>, Of<typeof response>> = {
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexibleFrom: 0,
  request,
  response,
}
