/**
 * The one error type of Weft and its closed list of codes. An error is thrown where it happens and
 * turned into an answer in one layer, from the row of its code: HTTP status, gRPC status
 * (google.rpc.Code), Kafka error code, whether a caller may try again, whether the connection closes.
 */
import { ERROR_TABLE, type ErrorCode, type ErrorRow } from './error-table.ts'

export { ERROR_TABLE, type ErrorCode, type ErrorRow } from './error-table.ts'

/** What an error may say about itself beside its message; members of problem+json (RFC 9457). */
export interface ErrorDetails {
  readonly identity?: string
  readonly target?: string
  readonly policy?: string
  /** Header fields of the answer over HTTP, name and value by turns: no members of the document. */
  readonly fields?: readonly string[]
  readonly cause?: unknown
}

/** The error of Weft. `message` says what was expected, what came, and what to do. */
export class MeshError extends Error {
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'MeshError'
    this.code = code
    this.details = details
  }

  get row(): ErrorRow {
    return ERROR_TABLE[this.code]
  }

  /** Total: any thrown value becomes a MeshError; what is not one already is `internal`. Never throws. */
  static from(thrown: unknown): MeshError {
    if (thrown instanceof MeshError) return thrown
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    return new MeshError('internal', message, { cause: thrown })
  }
}

/** The body of `application/problem+json` (RFC 9457) with the members that Weft adds. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly retryable: boolean
  readonly hint: string
  readonly identity?: string
  readonly target?: string
  readonly policy?: string
  readonly traceId?: string
}

/** Turns an error into its problem document. `type` is a path that the control plane resolves. */
export function toProblem(error: MeshError, traceId?: string): Problem {
  const { id, title, http, retryable, hint } = error.row
  const { identity, target, policy } = error.details
  return {
    type: `/problems/${id}`,
    title,
    status: http,
    detail: error.message,
    code: id,
    retryable,
    hint,
    ...(identity !== undefined && { identity }),
    ...(target !== undefined && { target }),
    ...(policy !== undefined && { policy }),
    ...(traceId !== undefined && { traceId }),
  }
}
