import type { TrafficSettings } from '@weft/schemas/snapshot'
import type { RouteRule } from '@weft/schemas/snapshot-routes'

/** What a rule of a route says of timeouts and retries, over what its backend says of itself. */
export function ruleTraffic(
  traffic: TrafficSettings,
  { requestTimeoutMs, attemptTimeoutMs, retry }: RouteRule,
): TrafficSettings {
  return {
    ...traffic,
    requestTimeoutMs: requestTimeoutMs ?? traffic.requestTimeoutMs,
    retry: {
      ...traffic.retry,
      perTryTimeoutMs: attemptTimeoutMs ?? traffic.retry.perTryTimeoutMs,
      attempts: retry?.attempts ?? traffic.retry.attempts,
    },
  }
}
