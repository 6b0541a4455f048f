import type { ServerErrorResponse, status } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'

/** grpc-js writes the details into a header; what a peer chose must not fill it. */
const MAX_DETAILS_LENGTH = 1024

/** Any error as the status of a call: the code of its row, its message; what is internal is logged here, not told. */
export function toStatus(thrown: unknown, log: Log): ServerErrorResponse {
  const error = MeshError.from(thrown)
  const code: status = error.row.grpc
  if (error.code === 'internal') log.error({ error: thrown }, 'a call failed')
  const text = error.code === 'internal' ? 'internal error: see the log of the control plane' : error.message
  // toWellFormed: grpc-js encodes with encodeURI, which throws on half a character.
  const details = text.slice(0, MAX_DETAILS_LENGTH).toWellFormed()
  return Object.assign(new Error(details), { code, details })
}
