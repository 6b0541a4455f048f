import type { MeshError } from './error.ts'

/** It is written into a header; what a peer chose must not fill it. */
const MAX_DETAILS_LENGTH = 1024

/** An error as the status of a gRPC call (google.rpc.Code). What is internal is not told: `where` says whose log has it. */
export function grpcStatusOf(
  error: MeshError,
  where: string,
): { readonly code: number; readonly details: string } {
  const text = error.code === 'internal' ? `internal error: see the log of the ${where}` : error.message
  // toWellFormed: grpc-js encodes with encodeURI, which throws on half a character.
  return { code: error.row.grpc, details: text.slice(0, MAX_DETAILS_LENGTH).toWellFormed() }
}
