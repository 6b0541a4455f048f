/** InitProducerId, versions 0 to 5. 2: flexible · 3: producer id and epoch · 4: PRODUCER_FENCED · 5: TRANSACTION_ABORTABLE. */
import type { Api } from './api.ts'
import { int16, int32, int64, nullableString, type Of, since, struct } from './codec.ts'

const request = struct({
  transactionalId: nullableString,
  transactionTimeoutMs: int32,
  producerId: since(3, int64, -1n),
  producerEpoch: since(3, int16, -1),
})

const response = struct({ throttleTimeMs: int32, errorCode: int16, producerId: int64, producerEpoch: int16 })

export const INIT_PRODUCER_ID: Api<Of<typeof request>, Of<typeof response>> = {
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexibleFrom: 2,
  request,
  response,
}
