/** The part of the outbound path that is built per target: route → split → fault → retry → timeout → limit → balance → endpoint. */
import type { ServiceEntry, TrafficSettings } from '@weft/schemas/snapshot'
import type { RouteRule } from '@weft/schemas/snapshot-routes'
import { DelayBudget, injectFaults } from '../layers/fault.ts'
import type { Service } from '../transport/exchange.ts'
import { balance } from './balance.ts'
import type { ClusterOptions } from './cluster.ts'
import { type EgressOptions, egress } from './external/egress.ts'
import { limitRequests } from './limits.ts'
import { retry } from './retry.ts'
import { type BackendOf, destinationOf, type RouteParent, type RouteTarget } from './route.ts'
import { followRoutes } from './routes/index.ts'
import { MirrorBudget } from './routes/mirror.ts'
import { ruleTraffic } from './rule-traffic.ts'
import { timeout } from './timeout.ts'

export interface TargetStack extends Pick<ClusterOptions, 'onEjected' | 'onChecked'> {
  /** For a service without routes. */
  readonly build: (target: RouteTarget) => Service
  /** For one with routes. */
  readonly follow: (parent: RouteParent, backendOf: BackendOf) => Service
}

export function targetStack(options: EgressOptions): TargetStack {
  const { metrics } = options
  const delays = new DelayBudget()
  const checks = metrics.counter('weft_endpoint_checks_total')
  const ejections = metrics.counter('weft_endpoint_ejections_total')
  const retries = metrics.counter('weft_http_retries_total')
  const mirrored = metrics.counter('weft_http_mirrored_total')
  const mirrors = new MirrorBudget((destination, outcome) => mirrored.inc({ destination, outcome }))

  const attempt = (
    { service, cluster }: RouteTarget,
    traffic: TrafficSettings,
    rule?: RouteRule,
  ): Service => {
    // Chooses for every attempt anew, next to the pools whose load it looks at.
    const balanced = balance({
      serviceName: service.name,
      balancer: cluster.balancer,
      onOutcome: (endpoint, outcome) => cluster.record(endpoint, outcome),
    })
    // Around everything that waits for the service, but for the pauses between attempts.
    const limited = limitRequests(balanced, {
      serviceName: service.name,
      count: cluster.requests,
      maxRequests: traffic.maxRequests,
    })
    // Below retry, so that an attempt that hangs is given up as an attempt; all of them share one deadline.
    const { requestTimeoutMs, retry: settings } = traffic
    const whole = {
      request: rule?.requestTimeoutMs !== undefined,
      perTry: rule?.attemptTimeoutMs !== undefined,
    }
    const limits = { requestTimeoutMs, perTryTimeoutMs: settings.perTryTimeoutMs }
    return timeout(limited, whole.request || whole.perTry ? { ...limits, whole } : limits)
  }
  const repeated = (target: RouteTarget, traffic: TrafficSettings, rule?: RouteRule): Service =>
    // Above the choice of an endpoint, so that it goes elsewhere; below everything that must see one request, not its attempts.
    retry(attempt(target, traffic, rule), {
      settings: traffic.retry,
      rule: rule?.retry,
      budget: target.cluster.retryBudget,
      onRetry: ({ notes }, reason) => retries.inc({ destination: notes.destination, reason }),
    })
  // Above retry and timeout: a fault that is repeated away, or cut short by a deadline of ours, would test nothing.
  const injured = (inner: Service, { traffic: { faults } }: ServiceEntry): Service =>
    injectFaults(inner, { faults, delays, metrics })

  return {
    onEjected: ({ name }, reason) => ejections.inc({ destination: name, reason }),
    onChecked: ({ name }, outcome) => checks.inc({ destination: name, outcome }),
    build(target) {
      const { service } = target
      // A service outside is asked about once a request; the path that is judged is the one that goes out.
      return egress(injured(repeated(target, service.traffic), service), service, options)
    },
    follow({ routes, service: parent, scheme }, backendOf) {
      const followed = followRoutes(routes, {
        backend(key, rule) {
          const target = backendOf(key)
          const { service, cluster } = target
          const called = repeated(target, ruleTraffic(service.traffic, rule), rule)
          // A route may lead back to its own parent, whose faults are above the route: once is enough.
          return {
            service: named(service === parent ? called : injured(called, service), target),
            endpoints: cluster.endpoints,
          }
        },
        // A copy is not repeated: nobody waits for its answer.
        mirror: (key) => named(attempt(backendOf(key), backendOf(key).service.traffic), backendOf(key)),
        mirrors,
        scheme,
      })
      return parent === undefined ? followed : injured(followed, parent)
    },
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
