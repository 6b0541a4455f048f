import { Metadata, type ServerErrorResponse } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import { grpcStatusOf } from '@weft/schemas/grpc-status'
import type { Log } from '@weft/schemas/node/log'

/** Any error as the status of a call, with the code of docs/reference/errors.md in the trailer `weft-code`. */
export function toStatus(thrown: unknown, log: Log): ServerErrorResponse {
  const error = MeshError.from(thrown)
  if (error.code === 'internal') log.error({ error: thrown }, 'a call failed')
  const status = grpcStatusOf(error, 'sidecar')
  const metadata = new Metadata()
  metadata.set('weft-code', error.row.id)
  return Object.assign(new Error(status.details), status, { metadata })
}
