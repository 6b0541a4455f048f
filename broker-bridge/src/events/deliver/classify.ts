/** What the app's answer to a delivery means. Pure. */

/** How a delivery attempt ended, as the HTTP client saw it. */
export type Answer =
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter: string | undefined }
  /** Nobody listens: the record was not seen by anybody. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'timeout'; readonly message: string }
  | { readonly kind: 'broken'; readonly message: string }
  /** The partition is no longer ours. */
  | { readonly kind: 'aborted' }

export type Verdict = 'acknowledged' | 'poison' | 'retry' | 'app-down' | 'aborted'

/** 4xx that speak of the moment and not of the record: Request Timeout, Too Early, Too Many Requests. */
const TRY_AGAIN = new Set([408, 425, 429])

export function classify(answer: Answer): Verdict {
  switch (answer.kind) {
    case 'aborted':
      return 'aborted'
    case 'refused':
      return 'app-down'
    case 'timeout':
    case 'broken':
      return 'retry'
    case 'status':
      if (answer.status >= 200 && answer.status < 300) return 'acknowledged'
      return answer.status >= 400 && answer.status < 500 && !TRY_AGAIN.has(answer.status) ? 'poison' : 'retry'
  }
}

/** One line for logs, spans and the dead letter. */
export function describe(answer: Answer): string {
  if (answer.kind === 'status') return `the app answered ${answer.status}`
  return answer.kind === 'aborted' ? 'aborted' : answer.message
}
