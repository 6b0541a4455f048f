import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateResource } from '../validate.ts'

const policy = (spec: object) => ({
  apiVersion: 'mesh.weft.dev/v1',
  kind: 'TrafficPolicy',
  metadata: { name: 'reviews' },
  spec: { target: { service: 'reviews' }, ...spec },
})

function specOf(spec: object): unknown {
  const result = validateResource(policy(spec))
  assert.ok('resource' in result, JSON.stringify(result))
  return result.resource.spec
}

function faultsOf(spec: object): readonly string[] {
  const result = validateResource(policy(spec))
  assert.ok('faults' in result, 'expected faults')
  return result.faults.map(({ message }) => message)
}

test('what a policy does not say stays unsaid, for a less specific one to say', () => {
  assert.deepEqual(specOf({ retry: { attempts: 1 }, healthCheck: { intervalMs: 500 } }), {
    target: { service: 'reviews' },
    retry: { attempts: 1 },
    healthCheck: { intervalMs: 500 },
  })
})

test('entries of lists are completed, and header names come in lower case', () => {
  assert.deepEqual(
    specOf({
      loadBalancing: { policy: 'maglev', hashOn: [{ header: 'X-User' }, { sourceIdentity: true }] },
      subsets: [{ name: 'v2', labels: { version: 'v2' } }],
      faults: [{ headers: [{ name: 'X-Fault' }], delay: { percent: 50, fixedMs: 2_000 } }],
      rateLimits: [{ name: 'search', requests: 10 }],
      healthCheck: { probe: { http: { path: '/healthz' } } },
    }),
    {
      target: { service: 'reviews' },
      loadBalancing: { policy: 'maglev', hashOn: [{ header: 'x-user' }, { sourceIdentity: true }] },
      subsets: [{ name: 'v2', labels: { version: 'v2' }, headers: [], fallback: 'none' }],
      faults: [{ headers: [{ name: 'x-fault' }], delay: { percent: 50, fixedMs: 2_000 } }],
      rateLimits: [
        { name: 'search', paths: [], methods: [], requests: 10, periodMs: 1_000, burst: 10, per: 'caller' },
      ],
      healthCheck: { probe: { http: { path: '/healthz', statuses: [200] } } },
    },
  )
})

test('of a gateway only rates are limited', () => {
  const target = { gateway: 'shop' }
  const rateLimits = [{ name: 'search', requests: 10 }]
  assert.ok('resource' in validateResource(policy({ target, rateLimits })))
  assert.deepEqual(faultsOf({ target, rateLimits, requestTimeoutMs: 1_000 }), [
    'spec.requestTimeoutMs: expected only rateLimits where the target is a gateway, came requestTimeoutMs',
  ])
})

test('everything that is wrong is said at once', () => {
  assert.deepEqual(
    faultsOf({
      target: { service: 'reviews', mesh: true },
      requestTimeoutMs: -1,
      retry: { on: ['sometimes'], backoffBaseMs: 100, backoffMaxMs: 10 },
      loadBalancing: { policy: 'random', hashOn: [{ header: 'a b' }] },
      subsets: [
        { name: 'v1', labels: {} },
        { name: 'v1', labels: { version: 'v1' } },
      ],
      healthCheck: { probe: { tcp: true, grpc: {} }, intervalMs: 100, timeoutMs: 200 },
      faults: [{}, { abort: { percent: 101 } }, { abort: { percent: 1, httpStatus: 500, grpcStatus: 14 } }],
      rateLimits: [{ name: 'a', requests: 0, paths: ['/a*b'] }],
    }).map((message) => message.slice(0, message.indexOf(','))),
    [
      'spec.target: expected exactly one of service',
      'spec.requestTimeoutMs: expected a whole number from 0 to 3600000',
      'spec.retry.on[0]: expected one of "connect-failure"',
      'spec.loadBalancing.hashOn[0].header: expected a name as headers and cookies have it (RFC 9110',
      'spec.subsets[0].labels: expected at least one member',
      'spec.healthCheck.probe: expected exactly one of http',
      'spec.faults[1].abort.percent: expected a whole number from 0 to 100',
      'spec.rateLimits[0].paths[0]: expected a path in normal form ("/" first',
      'spec.rateLimits[0].requests: expected a whole number from 1 to 1000000',
      'spec.retry.backoffMaxMs: expected backoffBaseMs at most backoffMaxMs',
      'spec.healthCheck.intervalMs: expected timeoutMs at most intervalMs',
      'spec.loadBalancing.hashOn: expected hashOn only beside the policies ringHash and maglev',
      'spec.subsets[1].name: expected each name once',
      'spec.faults[0]: expected delay',
      'spec.faults[1].abort: expected exactly one of httpStatus',
      'spec.faults[2].abort: expected exactly one of httpStatus',
    ],
  )
})
