import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { describe, it } from 'node:test'
import {
  DEFAULT_HEALTH_CHECK,
  type HealthCheck,
  type HealthProbe,
  type TrafficSettings,
} from '@weft/schemas/snapshot'
import { call } from '../calling.test-support.ts'
import { type Fleet, startFleet } from '../fleet.test-support.ts'
import { portOf, SERVER } from '../pair.test-support.ts'
import { until } from '../until.test-support.ts'

const every = (probe: HealthProbe, part: Partial<HealthCheck> = {}): Partial<TrafficSettings> => ({
  healthCheck: { ...DEFAULT_HEALTH_CHECK, probe, intervalMs: 20, timeoutMs: 5_000, ...part },
})
const http = every({ http: { path: '/healthz', statuses: [200] } })

/** Answers its health checks with the status that `health` has, and anything else with its name. */
function app(name: string, health = { status: 200, checks: 0 }): RequestListener {
  return (sent, answer) => {
    if (sent.url === '/healthz') {
      health.checks++
      answer.writeHead(health.status).end()
    } else answer.end(name)
  }
}

const states = (fleet: Fleet): readonly string[] =>
  fleet.pair.outbound.endpoints().flatMap(({ endpoints }) => endpoints.map(({ state }) => state))

async function checks(fleet: Fleet, outcome: string): Promise<number> {
  const { values } = await fleet.pair.metrics.counter('weft_endpoint_checks_total').get()
  return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0
}

describe('an active health check', () => {
  it('keeps requests from an endpoint that fails it, says why, and lets it back when it passes again', async () => {
    const health = { status: 500, checks: 0 }
    await using fleet = await startFleet([{ app: app('well') }, { app: app('ill', health) }], http)
    await until(() => states(fleet).includes('unhealthy'))

    for (let n = 0; n < 10; n++) assert.equal((await call(fleet.port)).body, 'well')
    const [report] = fleet.pair.outbound.endpoints()
    assert.equal(report?.endpoints[1]?.reason, 'GET /healthz: expected 200, came 500')
    health.status = 200
    await until(() => !states(fleet).includes('unhealthy'))

    const seen = new Set<string>()
    await until(async () => seen.add((await call(fleet.port)).body).size === 2)
    assert.ok((await checks(fleet, 'failed')) > 0 && (await checks(fleet, 'passed')) > 1)
  })

  it('takes several failures in a row to give up one that was healthy', async () => {
    const health = { status: 200, checks: 0 }
    await using fleet = await startFleet([{ app: app('a', health) }, { app: app('b') }], http)
    // The second is sent when the first has been judged.
    await until(() => health.checks >= 2)

    health.status = 500
    await until(() => states(fleet).includes('unhealthy'))

    assert.ok((await checks(fleet, 'failed')) >= DEFAULT_HEALTH_CHECK.unhealthyThreshold)
  })

  it('that nobody answers in time has failed', async () => {
    const silent: RequestListener = () => {}
    await using fleet = await startFleet(
      [{ app: silent }, { app: app('b') }],
      every({ http: { path: '/healthz', statuses: [200] } }, { timeoutMs: 50 }),
    )

    await until(() => states(fleet)[0] === 'unhealthy')

    assert.equal(fleet.pair.outbound.endpoints()[0]?.endpoints[0]?.reason, 'expected an answer within 50 ms')
  })

  it('of a connection finds out who is not there', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const port = portOf(gone)
    gone.close()
    await using fleet = await startFleet([{ app: app('a') }], every({ tcp: true }))
    const dead = { address: '127.0.0.1', port, identity: SERVER, labels: {} }
    fleet.change([...fleet.endpoints, dead], every({ tcp: true }))

    await until(async () => states(fleet)[1] === 'unhealthy' && (await checks(fleet, 'passed')) > 0)

    assert.equal(states(fleet)[0], 'healthy')
    assert.match(String(fleet.pair.outbound.endpoints()[0]?.endpoints[1]?.reason), /ECONNREFUSED/)
  })

  it('of gRPC understands the answer of the Health service', async () => {
    const asked: string[] = []
    const health =
      (status: number): RequestListener =>
      async (sent, answer) => {
        let bytes = Buffer.alloc(0)
        for await (const chunk of sent) bytes = Buffer.concat([bytes, chunk as Buffer])
        asked.push(`${sent.url} ${bytes.toString('hex')}`)
        answer.writeHead(200, { 'content-type': 'application/grpc' })
        answer.write(Buffer.from([0, 0, 0, 0, 2, 8, status]))
        answer.addTrailers({ 'grpc-status': '0' })
        answer.end()
      }
    await using fleet = await startFleet(
      [
        { app: health(1), protocol: 'h2c' },
        { app: health(2), protocol: 'h2c' },
      ],
      every({ grpc: { service: 'a.B' } }),
    )

    await until(async () => states(fleet)[1] === 'unhealthy' && (await checks(fleet, 'passed')) > 0)

    assert.equal(states(fleet)[0], 'healthy')
    assert.match(String(fleet.pair.outbound.endpoints()[0]?.endpoints[1]?.reason), /came NOT_SERVING$/)
    assert.ok(asked.includes('/grpc.health.v1.Health/Check 00000000050a03612e42'), asked[0])
  })

  it('ends with its endpoint, and with its configuration', async () => {
    await using fleet = await startFleet(
      [{ app: app('a', { status: 500, checks: 0 }) }, { app: app('b') }],
      http,
    )
    await until(() => states(fleet)[0] === 'unhealthy')

    fleet.change(fleet.endpoints, {})

    assert.deepEqual(states(fleet), ['healthy', 'healthy'])
    fleet.change([], http)
    assert.deepEqual(states(fleet), [])
  })
})
