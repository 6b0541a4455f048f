/** An error in one line. `fetch` says "fetch failed" and keeps what happened in the cause: both. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
