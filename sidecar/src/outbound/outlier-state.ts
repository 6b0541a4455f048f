/** What outlier detection remembers of one endpoint. */
export interface OutlierState {
  consecutiveFailures: number
  consecutiveGatewayFailures: number
  /** In the running interval of success rates. */
  requests: number
  successes: number
  /** How often it was ejected of late: what the next ejection is multiplied with. */
  ejections: number
  /** `performance.now()` when the last ejection ended. */
  returnedAt: number
  /** Why it is ejected; undefined while it is not. */
  ejectedBecause: string | undefined
  timer: NodeJS.Timeout | undefined
}

export const newOutlierState = (): OutlierState => ({
  consecutiveFailures: 0,
  consecutiveGatewayFailures: 0,
  requests: 0,
  successes: 0,
  ejections: 0,
  returnedAt: 0,
  ejectedBecause: undefined,
  timer: undefined,
})
