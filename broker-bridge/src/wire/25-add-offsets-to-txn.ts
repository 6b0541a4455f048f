/** AddOffsetsToTxn, versions 0 to 4. 2: PRODUCER_FENCED · 3: flexible · 4: TRANSACTION_ABORTABLE. */
import type { Api } from './api.ts'
import { int16, int32, int64, type Of, string, struct } from './codec.ts'

const request = struct({ transactionalId: string, producerId: int64, producerEpoch: int16, groupId: string })

const response = struct({ throttleTimeMs: int32, errorCode: int16 })

export const ADD_OFFSETS_TO_TXN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 25,
  name: 'AddOffsetsToTxn',
  versions: [0, 4],
  flexibleFrom: 3,
  request,
  response,
}
