import { type MeshError, toProblem } from '@weft/schemas/error'
import type { HttpAnswer } from '../../http-service.ts'

/** Seconds after which to try again, where trying again makes sense. */
const RETRY_AFTER = '1'

/** Answers with a body in one piece. */
export function answerWith(
  answer: HttpAnswer,
  head: { readonly status: number; readonly fields: string[] },
  body: string,
): void {
  const bytes = Buffer.from(body)
  answer.onHead({ ...head, length: bytes.length })
  answer.onData(bytes)
  answer.onEnd(undefined)
}

/** Answers with problem+json (RFC 9457) from the row of the error's code. */
export function answerError(
  answer: HttpAnswer,
  error: MeshError,
  options: { readonly fields?: readonly string[]; readonly traceId?: string; readonly status?: number } = {},
): void {
  const { row } = error
  const status = options.status ?? row.http
  const fields = ['content-type', 'application/problem+json', ...(options.fields ?? [])]
  if (row.retryable) fields.push('retry-after', RETRY_AFTER)
  answerWith(answer, { status, fields }, JSON.stringify({ ...toProblem(error, options.traceId), status }))
}
