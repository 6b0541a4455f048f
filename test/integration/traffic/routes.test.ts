import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import { type Mesh, startMesh } from './mesh.ts'

/** What each app got to see: `v1 GET /path`, and the headers of the last request. */
class Seen {
  readonly requests: string[] = []
  headers: IncomingMessage['headers'] = {}

  readonly app =
    (name: string) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      this.headers = request.headers
      request.resume()
      request.on('end', () => {
        this.requests.push(`${name} ${request.method} ${request.url}`)
        response.setHeader('x-from', name)
        response.end(name)
      })
    }
}

const route = (rules: string, kind = 'HTTPRoute') => `apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: reviews }
spec:
  parentRefs: [{ group: "", kind: Service, name: v1 }]
  rules: [${rules}]
`
const to = (name: string, more = '') => `backendRefs: [{ name: ${name}, port: 80${more} }]`

async function withMesh(rules: string, test: (mesh: Mesh, seen: Seen) => Promise<void>): Promise<void> {
  const seen = new Seen()
  await using mesh = await startMesh({
    apps: { v1: seen.app('v1'), v2: seen.app('v2') },
    yaml: route(rules),
  })
  await test(mesh, seen)
}

describe('a service with routes', () => {
  it('answers to the most specific match, and with 404 where there is none', () =>
    withMesh(
      `{ matches: [{ path: { value: /a } }], ${to('v1')} },
       { matches: [{ path: { type: Exact, value: /a/b } }], ${to('v2')} },
       { matches: [{ path: { value: /a }, headers: [{ name: X-Version, value: v2 }] }], ${to('v2')} },
       { matches: [{ path: { type: RegularExpression, value: "/n[0-9]+" } }], ${to('v2')} },
       { matches: [{ path: { value: /q }, queryParams: [{ name: v, value: "2" }], method: POST }], ${to('v2')} }`,
      async ({ call }) => {
        const answer = async (path: string, more: object = {}) => {
          const { status, body } = await call({ host: 'v1', path, ...more })
          return status === 200 ? body : status
        }
        assert.equal(await answer('/a'), 'v1')
        assert.equal(await answer('/a/b'), 'v2')
        assert.equal(await answer('/a/b/c'), 'v1')
        assert.equal(await answer('/a', { headers: { 'x-version': 'v2' } }), 'v2')
        assert.equal(await answer('/n42'), 'v2')
        assert.equal(await answer('/q?v=2', { method: 'POST' }), 'v2')
        assert.equal(await answer('/q?v=2'), 404)

        const { status, problem } = await call({ host: 'v1', path: '/nothing?secret=1' })
        assert.deepEqual([status, problem.code], [404, 'WEFT3011'])
        assert.equal(
          problem.detail,
          'expected a request that a rule of HTTPRoute default/reviews matches; GET /nothing matches none of 5',
        )
      },
    ))

  it('leaves other services as they are, and follows the next snapshot', () =>
    withMesh(`{ ${to('v2')} }`, async ({ call, change }) => {
      assert.equal((await call({ host: 'v2', path: '/x' })).body, 'v2')
      assert.equal((await call({ host: 'v1', path: '/x' })).body, 'v2')

      change(route(`{ ${to('v1')} }`))
      assert.equal((await call({ host: 'v1' })).body, 'v1')

      change('')
      assert.equal((await call({ host: 'v1' })).body, 'v1')
    }))

  it('splits by weight, and is 500 for the share of a backend that is not there', () =>
    withMesh(
      `{ backendRefs: [{ name: v1, port: 80, weight: 1 }, { name: v2, port: 80, weight: 1 }] },
       { matches: [{ path: { value: /gone } }], ${to('nobody')} },
       { matches: [{ path: { value: /zero } }], ${to('v1', ', weight: 0')} }`,
      async ({ call }) => {
        const bodies = new Set<string>()
        // Not to have seen both after so many is one chance in 2^59.
        for (let n = 0; n < 60 && bodies.size < 2; n++) bodies.add((await call({ host: 'v1' })).body)
        assert.deepEqual([...bodies].toSorted(), ['v1', 'v2'])
        for (const path of ['/gone', '/zero']) {
          const { status, problem } = await call({ host: 'v1', path })
          assert.deepEqual([status, problem.code], [500, 'WEFT3012'])
        }
      },
    ))

  it('counts and names the backend that was chosen', () =>
    withMesh(`{ ${to('v2')} }`, async ({ call, metrics }) => {
      await call({ host: 'v1' })
      const { values } = await metrics.counter('weft_http_requests_total').get()
      assert.deepEqual(
        values.map(({ labels }) => `${labels.direction} ${labels.source}>${labels.destination}`).toSorted(),
        ['inbound caller>v2', 'outbound caller>v2'],
      )
    }))

  it('follows a GRPCRoute by service and method', async () => {
    const seen = new Seen()
    await using mesh = await startMesh({
      apps: { v1: seen.app('v1'), v2: seen.app('v2') },
      yaml: route(
        `{ matches: [{ method: { service: shop.Reviews, method: Get } }], ${to('v2')} },
         { matches: [{ method: { service: shop.Reviews } }], ${to('v1')} }`,
        'GRPCRoute',
      ),
    })
    const answer = async (path: string) => {
      const { status, body } = await mesh.call({ host: 'v1', path, method: 'POST' })
      return status === 200 ? body : status
    }
    assert.equal(await answer('/shop.Reviews/Get'), 'v2')
    assert.equal(await answer('/shop.Reviews/List'), 'v1')
    assert.equal(await answer('/shop.Other/Get'), 404)
  })

  it('says UNIMPLEMENTED to a gRPC call that no rule matches, and UNAVAILABLE where the backend is not there', async () => {
    await using mesh = await startMesh({
      apps: { v1: new Seen().app('v1') },
      yaml: route(`{ matches: [{ method: { service: shop.Gone } }], ${to('nobody')} }`, 'GRPCRoute'),
    })
    for (const [path, status] of [
      ['/shop.Other/Get', '12'],
      ['/shop.Gone/Get', '14'],
    ] as const) {
      const answer = await mesh.callGrpc('v1', path)
      assert.deepEqual([answer[':status'], answer['grpc-status']], [200, status])
    }
  })
})

describe('a filter', () => {
  it('changes headers of request and answer', () =>
    withMesh(
      `{ filters: [
           { type: RequestHeaderModifier, requestHeaderModifier: { set: [{ name: X-Tenant, value: acme }], remove: [X-Debug] } },
           { type: ResponseHeaderModifier, responseHeaderModifier: { add: [{ name: X-Seen, value: weft }], remove: [x-from] } }],
         ${to('v1')} }`,
      async ({ call }, seen) => {
        const { headers } = await call({ host: 'v1', headers: { 'x-tenant': 'a', 'x-debug': '1' } })
        assert.deepEqual([seen.headers['x-tenant'], seen.headers['x-debug']], ['acme', undefined])
        assert.deepEqual([headers['x-seen'], headers['x-from']], ['weft', undefined])
      },
    ))

  it('rewrites host and path', () =>
    withMesh(
      `{ matches: [{ path: { value: /old } }],
         filters: [{ type: URLRewrite, urlRewrite: { hostname: new.example, path: { type: ReplacePrefixMatch, replacePrefixMatch: /new } } }],
         ${to('v2')} }`,
      async ({ call }, seen) => {
        await call({ host: 'v1', path: '/old/a?b=c' })
        assert.deepEqual([seen.requests, seen.headers.host], [['v2 GET /new/a?b=c'], 'new.example'])
      },
    ))

  it('redirects', () =>
    withMesh(
      `{ filters: [{ type: RequestRedirect, requestRedirect: { scheme: https, hostname: shop.example, statusCode: 308 } }] }`,
      async ({ call }, seen) => {
        const { status, headers } = await call({
          host: 'v1',
          path: '/a?b',
          method: 'POST',
          body: 'x'.repeat(100_000),
        })
        assert.deepEqual([status, headers.location, seen.requests], [308, 'https://shop.example/a?b', []])
      },
    ))

  it('mirrors requests, whose copies nobody waits for', async () => {
    const copied = Promise.withResolvers<string>()
    await using mesh = await startMesh({
      apps: {
        v1: (request, response) => void request.resume().on('end', () => response.end('v1')),
        // Never answers: it must not matter.
        v2: (request) => {
          let body = ''
          request.on('data', (chunk) => {
            body += chunk
          })
          request.on('end', () => copied.resolve(`${request.method} ${request.url} ${body}`))
        },
      },
      yaml: route(
        `{ filters: [{ type: RequestMirror, requestMirror: { backendRef: { name: v2, port: 80 } } }], ${to('v1')} }`,
      ),
    })
    const { status, body } = await mesh.call({ host: 'v1', path: '/a?b', method: 'POST', body: 'hello' })
    assert.deepEqual([status, body], [200, 'v1'])
    assert.equal(await copied.promise, 'POST /a?b hello')
  })

  it('answers preflights', () =>
    withMesh(
      `{ filters: [{ type: CORS, cors: { allowOrigins: ["https://*.shop.example"], allowMethods: [PUT] } }], ${to('v1')} }`,
      async ({ call }, seen) => {
        const { status, headers } = await call({
          host: 'v1',
          method: 'OPTIONS',
          headers: { origin: 'https://a.shop.example', 'access-control-request-method': 'PUT' },
        })
        assert.deepEqual(
          [
            status,
            headers['access-control-allow-origin'],
            headers['access-control-allow-methods'],
            seen.requests,
          ],
          [204, 'https://a.shop.example', 'PUT', []],
        )
      },
    ))
})

describe('the policy of the other side', () => {
  it('judges the path that was made of it, and who called', async () => {
    const seen = new Seen()
    const policy = `---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: v2 }
spec:
  target: { service: v2 }
  rules: [{ from: [{ serviceAccount: caller }], to: [{ http: { paths: [/public/*] } }] }]
`
    await using mesh = await startMesh({
      apps: { v1: seen.app('v1'), v2: seen.app('v2') },
      yaml: `${route(
        `{ matches: [{ path: { value: /open } }],
           filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /public } } }], ${to('v2')} },
         { matches: [{ path: { value: /public } }],
           filters: [{ type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /private } } }], ${to('v2')} }`,
      )}${policy}`,
    })
    assert.equal((await mesh.call({ host: 'v1', path: '/open/a' })).status, 200)
    assert.equal((await mesh.call({ host: 'v1', path: '/public/a' })).status, 403)
    assert.deepEqual(seen.requests, ['v2 GET /public/a'])
  })
})

describe('the timeouts of a route', () => {
  /** `/slow/<ms>`: says hello at once, and ends so much later. */
  const slow = (request: IncomingMessage, response: ServerResponse): void => {
    const ms = Number(request.url?.split('/')[2] ?? 0)
    response.write('hello')
    setTimeout(() => response.end(' world'), ms)
  }
  const rule = (path: string, timeouts: string) =>
    `{ matches: [{ path: { value: ${path} } }], ${timeouts} ${to('v1')} }`

  it('hold until the answer is whole: one that has begun is broken off', async () => {
    await using mesh = await startMesh({
      apps: { v1: slow },
      yaml: route(
        [
          rule('/request', 'timeouts: { request: 300ms },'),
          rule('/attempt', 'timeouts: { request: 10s, backendRequest: 300ms },'),
          rule('/none', 'timeouts: { request: 0s },'),
          rule('/default', ''),
        ].join(', '),
      ),
    })
    for (const path of ['/request/0', '/attempt/0', '/none/900', '/default/900'])
      assert.equal((await mesh.call({ host: 'v1', path })).body, 'hello world', path)
    for (const path of ['/request/9000', '/attempt/9000']) {
      const startedAt = performance.now()
      await assert.rejects(mesh.call({ host: 'v1', path }), /aborted/, path)
      assert.ok(performance.now() - startedAt < 5_000, path)
    }
  })
})

describe('a session', () => {
  const SESSION = `sessionPersistence: { cookie: { name: at } }`

  it('stays with the backend that began it, over weights and snapshots', () =>
    withMesh(
      `{ ${SESSION}, backendRefs: [{ name: v1, port: 80, weight: 0 }, { name: v2, port: 80, weight: 1 }] }`,
      async ({ call, change }) => {
        const begun = await call({ host: 'v1' })
        const cookie = begun.headers['set-cookie']?.[0]?.split(';')[0] ?? ''
        assert.equal(begun.body, 'v2')

        change(
          route(`{ ${SESSION}, backendRefs: [{ name: v1, port: 80 }, { name: v2, port: 80, weight: 0 }] }`),
        )

        for (let n = 0; n < 5; n++) {
          const { body, headers } = await call({ host: 'v1', headers: { cookie: `a=b; ${cookie}` } })
          assert.deepEqual([body, headers['set-cookie']], ['v2', undefined])
        }
        assert.equal((await call({ host: 'v1' })).body, 'v1')
        assert.equal((await call({ host: 'v1', headers: { cookie: 'at=forged.1' } })).body, 'v1')
      },
    ))
})
