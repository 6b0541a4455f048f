/** What one attempt says of the health of its endpoint. */
import type { MeshError } from '@weft/schemas/error'
import type { Fields } from '../transport/exchange.ts'
import { firstValue } from '../transport/fields.ts'

/** gateway-failure: nobody answered, or whoever did could not ask the one who would. failure: the app answered that it failed. */
export type Outcome = 'success' | 'failure' | 'gateway-failure'

/** google.rpc.Code UNAVAILABLE: gRPC's 503. */
const GRPC_UNAVAILABLE = '14'

/** Of an answer that is whole. `grpcStatus`: where it had one, in its head or its trailers. */
export function outcomeOfAnswer(status: number, grpcStatus: string | undefined): Outcome {
  if (status < 500) return grpcStatus === GRPC_UNAVAILABLE ? 'gateway-failure' : 'success'
  return status >= 502 && status <= 504 ? 'gateway-failure' : 'failure'
}

export const grpcStatusOf = (fields: Fields | undefined): string | undefined =>
  fields === undefined ? undefined : firstValue(fields, 'grpc-status')

/** Of an attempt that failed; undefined where that was none of the endpoint's doing. */
export function outcomeOfFailure({ code }: MeshError): Outcome | undefined {
  switch (code) {
    case 'connect_failed':
    case 'peer_identity':
    case 'upstream_reset':
    case 'upstream_timeout':
    case 'upstream_protocol':
      return 'gateway-failure'
    default:
      return undefined
  }
}
