import type { ServerErrorResponse } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import { grpcStatusOf } from '@weft/schemas/grpc-status'
import type { Log } from '@weft/schemas/node/log'

/** Any error as the status of a call: the code of its row, its message; what is internal is logged here, not told. */
export function toStatus(thrown: unknown, log: Log): ServerErrorResponse {
  const error = MeshError.from(thrown)
  if (error.code === 'internal') log.error({ error: thrown }, 'a call failed')
  const status = grpcStatusOf(error, 'control plane')
  return Object.assign(new Error(status.details), status)
}
