import type { GatewayListener } from '@weft/schemas/snapshot'

/**
 * The listener for a host (lower case, without port; empty where the caller named none), as the Gateway API chooses: the
 * exact hostname before the longest wildcard, and that before a listener for any host. `*.a` is for names below a only.
 */
export function listenerFor(
  listeners: readonly GatewayListener[],
  host: string,
): GatewayListener | undefined {
  let best: GatewayListener | undefined
  let bestLength = -1
  for (const listener of listeners) {
    const length = matchedLength(listener.hostname, host)
    if (length > bestLength) {
      best = listener
      bestLength = length
    }
  }
  return best
}

/** -1: no match. */
function matchedLength(hostname: string | undefined, host: string): number {
  if (hostname === undefined) return 0
  if (hostname === host) return Number.POSITIVE_INFINITY
  const isBelow =
    hostname.startsWith('*.') && host.endsWith(hostname.slice(1)) && host.length >= hostname.length
  return isBelow ? hostname.length : -1
}
