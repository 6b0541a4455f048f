/** The part of the outbound path that is built per target: route → split → retry → timeout → balance → endpoint. */
import type { Metrics } from '@weft/schemas/node/metrics'
import type { TrafficSettings } from '@weft/schemas/snapshot'
import type { RouteRule, RouteTable } from '@weft/schemas/snapshot-routes'
import type { Service } from '../transport/exchange.ts'
import { balance } from './balance.ts'
import { retry } from './retry.ts'
import { type BackendOf, destinationOf, type RouteTarget } from './route.ts'
import { followRoutes } from './routes/index.ts'
import { MirrorBudget } from './routes/mirror.ts'
import { ruleTraffic } from './rule-traffic.ts'
import { timeout } from './timeout.ts'

export interface TargetStack {
  /** For a service without routes. */
  readonly build: (target: RouteTarget) => Service
  /** For one with routes. */
  readonly follow: (routes: RouteTable, backendOf: BackendOf) => Service
}

export function targetStack(metrics: Metrics): TargetStack {
  const retries = metrics.counter('weft_http_retries_total')
  const mirrored = metrics.counter('weft_http_mirrored_total')
  const mirrors = new MirrorBudget((destination, outcome) => mirrored.inc({ destination, outcome }))

  const attempt = ({ service, cluster }: RouteTarget, traffic: TrafficSettings): Service => {
    // Chooses for every attempt anew, next to the pools whose load it looks at.
    const balanced = balance(cluster.endpoints, service.name)
    // Below retry, so that an attempt that hangs is given up as an attempt; all of them share one deadline.
    const { requestTimeoutMs, retry: settings } = traffic
    return timeout(balanced, { requestTimeoutMs, perTryTimeoutMs: settings.perTryTimeoutMs })
  }
  const repeated = (target: RouteTarget, traffic: TrafficSettings, rule?: RouteRule): Service =>
    // Above the choice of an endpoint, so that it goes elsewhere; below everything that must see one request, not its attempts.
    retry(attempt(target, traffic), {
      settings: traffic.retry,
      rule: rule?.retry,
      budget: target.cluster.retryBudget,
      onRetry: ({ notes }, reason) => retries.inc({ destination: notes.destination, reason }),
    })

  return {
    build: (target) => repeated(target, target.service.traffic),
    follow: (routes, backendOf) =>
      followRoutes(routes, {
        backend(key, rule) {
          const target = backendOf(key)
          const { service, cluster } = target
          return {
            service: named(repeated(target, ruleTraffic(service.traffic, rule), rule), target),
            endpoints: cluster.endpoints,
          }
        },
        // A copy is not repeated: nobody waits for its answer.
        mirror: (key) => named(attempt(backendOf(key), backendOf(key).service.traffic), backendOf(key)),
        mirrors,
        scheme: 'http',
      }),
  }
}

/** Says which of several services was chosen, for everything that counts. */
function named(inner: Service, { service }: RouteTarget): Service {
  const destination = destinationOf(service)
  return {
    call(head, response) {
      head.notes.service = service.name
      head.notes.destination = destination
      return inner.call(head, response)
    },
  }
}
