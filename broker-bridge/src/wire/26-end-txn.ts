/**
 * EndTxn, versions 0 to 5. 2: PRODUCER_FENCED · 3: flexible · 4: TRANSACTION_ABORTABLE · 5: producer id and epoch
 * in the answer (KIP-890).
 */
import type { Api } from './api.ts'
import { bool, int16, int32, int64, type Of, since, string, struct } from './codec.ts'

const request = struct({ transactionalId: string, producerId: int64, producerEpoch: int16, committed: bool })

const response = struct({
  throttleTimeMs: int32,
  errorCode: int16,
  producerId: since(5, int64, -1n),
  producerEpoch: since(5, int16, -1),
})

export const END_TXN: Api<Of<typeof request>, Of<typeof response>> = {
  key: 26,
  name: 'EndTxn',
  versions: [0, 5],
  flexibleFrom: 3,
  request,
  response,
}
