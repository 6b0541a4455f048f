/**
 * What each layer costs by itself, without sockets: `node test/bench/layers.ts`. CPU time of this process, so that a busy
 * machine disturbs it little; the smallest of several passes. Between these figures and those of a pair lies the transport.
 */
import { trace } from '@opentelemetry/api'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics } from '@weft/schemas/node/metrics'
import { subjectOf } from '@weft/schemas/policy'
import { DEFAULT_TRAFFIC, indexSnapshot, type Snapshot } from '@weft/schemas/snapshot'
import { spiffeId } from '@weft/schemas/spiffe'
import { authorize } from '../../sidecar/src/inbound/authorize.ts'
import { identityHeaders } from '../../sidecar/src/inbound/identity-headers.ts'
import { countRequests } from '../../sidecar/src/layers/metrics.ts'
import { rescue } from '../../sidecar/src/layers/rescue.ts'
import { traceRequests } from '../../sidecar/src/layers/trace.ts'
import { headOf } from '../../sidecar/src/outbound/request-head.test-support.ts'
import { retry } from '../../sidecar/src/outbound/retry.ts'
import { RetryBudget } from '../../sidecar/src/outbound/retry-budget.ts'
import { timeout } from '../../sidecar/src/outbound/timeout.ts'
import type { RequestHandler, ResponseHandler, Service } from '../../sidecar/src/transport/exchange.ts'

const REQUESTS = 50_000
const PASSES = 12
/** Timers and the collector get their turn as often as between the reads of a busy socket. */
const REQUESTS_PER_TURN = 64

const caller = spiffeId('weft.local', 'default', 'caller')
const peer = { id: caller, subject: subjectOf(caller) }
const snapshots = { current: () => indexed, onChange: () => () => {} }
const metrics = createMetrics()
const log = createLog('bench')

/** Answers when the request has ended. */
class Answering implements RequestHandler {
  readonly #response: ResponseHandler

  constructor(response: ResponseHandler) {
    this.#response = response
  }
  data(): void {}
  end(): void {
    this.#response.onHead({ status: 200, fields: ['content-type', 'text/plain'], length: BODY.length })
    this.#response.onData(BODY)
    this.#response.onEnd(undefined)
  }
  cancel(): void {}
  pause(): void {}
  resume(): void {}
}
const BODY = Buffer.alloc(1024)
const end: Service = { call: (_head, response) => new Answering(response) }
const response: ResponseHandler = {
  onInterim() {},
  onHead() {},
  onData() {},
  onEnd() {},
  onFail(error) {
    throw error
  },
  onPause() {},
  onResume() {},
}

const snapshot: Snapshot = {
  version: 1,
  trustDomain: 'weft.local',
  workload: { identity: 'spiffe://weft.local/ns/default/sa/app', namespace: 'default', service: 'app' },
  defaultAction: 'deny',
  samplingRatio: 0.01,
  services: [],
  policies: [
    {
      name: 'app',
      namespace: 'default',
      target: { service: 'app' },
      action: 'allow',
      mode: 'enforce',
      rules: [
        {
          from: [{ serviceAccount: 'caller' }],
          to: [{ http: { methods: ['GET', 'POST'], paths: ['/*'] } }],
        },
      ],
    },
  ],
  topics: [],
  subscriptions: [],
  jwtProviders: [],
}
const indexed = indexSnapshot(snapshot)

const { retry: settings, requestTimeoutMs } = DEFAULT_TRAFFIC
const layers: Readonly<Record<string, Service>> = {
  nothing: end,
  trace: traceRequests(end, { tracer: trace.getTracer('bench'), kind: 'client', samplingRatio: () => 0.01 }),
  metrics: countRequests(end, { direction: 'outbound', metrics, sourceOf: () => 'caller' }),
  rescue: rescue(end),
  retry: retry(end, { settings, budget: new RetryBudget(settings), onRetry() {} }),
  timeout: timeout(end, { requestTimeoutMs, perTryTimeoutMs: settings.perTryTimeoutMs }),
  'identity headers': identityHeaders(end),
  authorize: authorize(end, {
    snapshots,
    metrics,
    log,
    targetOf: ({ snapshot: { workload } }) => ({
      service: workload.service ?? '',
      namespace: workload.namespace,
    }),
  }),
}

async function nanosecondsPerRequest(service: Service): Promise<number> {
  const begin = process.cpuUsage()
  for (let sent = 0; sent < REQUESTS; sent++) {
    const head = headOf({ peer, target: '/orders', fields: ['user-agent', 'wrk', 'accept', '*/*'] })
    service.call(head, response).end(undefined)
    if (sent % REQUESTS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const { user, system } = process.cpuUsage(begin)
  return ((user + system) * 1000) / REQUESTS
}

const best = new Map<string, number>()
for (let pass = 0; pass < PASSES; pass++)
  for (const [name, service] of Object.entries(layers))
    best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, await nanosecondsPerRequest(service)))
const nothing = best.get('nothing') ?? 0
for (const [name, nanoseconds] of best)
  process.stdout.write(
    `${name.padEnd(18)} ${Math.max(0, nanoseconds - nothing)
      .toFixed(0)
      .padStart(6)} ns\n`,
  )
