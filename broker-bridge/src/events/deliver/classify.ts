/** What the app's answer to a delivery means. Pure. */

/** How a delivery attempt ended, as the HTTP client saw it. */
export type Answer =
  | {
      readonly kind: 'status'
      readonly status: number
      readonly retryAfter: string | undefined
      /** `weft-action`, as it came. */
      readonly action: string | undefined
    }
  /** Who took it over a stream has said so. */
  | {
      readonly kind: 'settled'
      readonly verdict: 'acknowledged' | 'retry' | 'dropped' | 'poison'
      readonly retryAfterMs?: number
    }
  /** Nobody listens: the record was not seen by anybody. */
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'timeout'; readonly message: string }
  | { readonly kind: 'broken'; readonly message: string }
  /** By the schema of its topic. The app has not seen it; `isFinal`: nor would it later. */
  | { readonly kind: 'unreadable'; readonly message: string; readonly isFinal: boolean }
  /** The partition is no longer ours. */
  | { readonly kind: 'aborted' }

/** dropped: the app wants to hear of the record no more, and it is not kept. */
export type Verdict = 'acknowledged' | 'dropped' | 'poison' | 'retry' | 'app-down' | 'aborted'

/** 4xx that speak of the moment and not of the record: Request Timeout, Too Early, Too Many Requests. */
const TRY_AGAIN = new Set([408, 425, 429])

/** What the app may say with `weft-action`, whatever the status. */
const ACTIONS: ReadonlyMap<string, Verdict> = new Map([
  ['retry', 'retry'],
  ['drop', 'dropped'],
  ['dead-letter', 'poison'],
])

/** True for a `weft-action` that is none: the status speaks then. */
export const isUnknownAction = (action: string | undefined): boolean =>
  action !== undefined && !ACTIONS.has(normal(action))

const normal = (action: string): string => action.trim().toLowerCase()

export function classify(answer: Answer): Verdict {
  switch (answer.kind) {
    case 'aborted':
      return 'aborted'
    case 'refused':
      return 'app-down'
    case 'timeout':
    case 'broken':
      return 'retry'
    case 'unreadable':
      return answer.isFinal ? 'poison' : 'retry'
    case 'settled':
      return answer.verdict
    case 'status':
      return ACTIONS.get(normal(answer.action ?? '')) ?? classifyStatus(answer.status)
  }
}

function classifyStatus(status: number): Verdict {
  if (status >= 200 && status < 300) return 'acknowledged'
  return status >= 400 && status < 500 && !TRY_AGAIN.has(status) ? 'poison' : 'retry'
}

/** One line for logs, spans and the dead letter. */
export function describe(answer: Answer): string {
  if (answer.kind === 'status') {
    const { status, action } = answer
    const asked = action === undefined || isUnknownAction(action) ? '' : ` and weft-action: ${normal(action)}`
    return `the app answered ${status}${asked}`
  }
  if (answer.kind === 'settled') return `the app settled it as ${answer.verdict}`
  return answer.kind === 'aborted' ? 'aborted' : answer.message
}
