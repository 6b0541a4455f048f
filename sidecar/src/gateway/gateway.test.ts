import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { connect } from 'node:http2'
import { type RequestOptions, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { trace } from '@opentelemetry/api'
import { createLog } from '@weft/schemas/node/log'
import type { NamedPolicy } from '@weft/schemas/policy'
import type { GatewayListener, RateLimit, Snapshot } from '@weft/schemas/snapshot'
import type { RouteFilters, RouteTable } from '@weft/schemas/snapshot-routes'
import { createAuthority, type TestAuthority } from '../listen/certificates.test-support.ts'
import { call } from '../outbound/calling.test-support.ts'
import { bodyOf, exchange, type Pair, startPair } from '../outbound/pair.test-support.ts'
import { type Gateway, startGateway } from './index.ts'

/** Everything below `/` to the one service behind the gateway. */
const routesTo = (filters: RouteFilters = {}): RouteTable => ({
  routes: ['HTTPRoute default/shop'],
  matches: [{ rule: 0, path: { type: 'PathPrefix', value: '/' }, headers: [], queryParams: [] }],
  rules: [
    {
      name: 'HTTPRoute default/shop rule 0',
      filters,
      backends: [{ service: 'default/server', name: 'Service default/server', weight: 1, filters: {} }],
    },
  ],
})

const policyFor = (from: NonNullable<NamedPolicy['rules'][number]['from']>): NamedPolicy => ({
  name: 'in',
  namespace: 'default',
  target: { gateway: 'shop' },
  action: 'allow',
  mode: 'enforce',
  rules: [{ from }],
})
const anybody = policyFor([{ anonymous: true }, { clientCertificate: 'DNS:partner.example' }])

const limit = (name: string, part: Partial<RateLimit>): RateLimit => ({
  name,
  paths: [],
  methods: [],
  requests: 1,
  periodMs: 60_000,
  burst: part.requests ?? 1,
  per: 'caller',
  ...part,
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('a gateway', () => {
  let pair: Pair
  let gateway: Gateway
  let authority: TestAuthority
  let folder: string
  let seen: IncomingHttpHeaders = {}
  const errors: unknown[] = []

  const given = async (
    listeners: readonly GatewayListener[],
    part: Partial<NonNullable<Snapshot['gateway']>> = {},
    policies: readonly NamedPolicy[] = [anybody],
  ): Promise<void> => {
    pair.outboundSnapshots.change({
      policies,
      defaultAction: 'deny',
      gateway: { name: 'shop', namespace: 'default', listeners, ...part },
    })
    await gateway.settled()
  }

  /** A folder of the gateway's certificates: `tls.crt` and `tls.key` for these names, and `ca.crt`. */
  const certificate = async (name: string, ...dnsNames: string[]): Promise<void> => {
    const { certificateChainPem, privateKeyPem } = await authority.issue('outside', { dnsNames })
    await mkdir(join(folder, name), { recursive: true })
    await writeFile(join(folder, name, 'tls.crt'), certificateChainPem)
    await writeFile(join(folder, name, 'tls.key'), privateKeyPem)
    await writeFile(join(folder, name, 'ca.crt'), authority.rootPem)
  }

  interface SecureAnswer {
    readonly status: number
    readonly names: string
    readonly body: string
  }

  /** Over TLS: the server is believed by the authority of the test. */
  async function get(port: number, servername: string, options: RequestOptions = {}): Promise<SecureAnswer> {
    const message = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request({
        port,
        host: '127.0.0.1',
        servername,
        ca: authority.rootPem,
        agent: false,
        headers: { host: servername },
        ...options,
      })
      sent.on('response', resolve)
      sent.on('error', reject)
      sent.end()
    })
    const names = (message.socket as TLSSocket).getPeerX509Certificate()?.subjectAltName ?? ''
    return { status: message.statusCode ?? 0, names, body: await bodyOf(message) }
  }

  const rejections = async (): Promise<number> => {
    const lines = (await pair.metrics.registry.metrics()).split('\n')
    const counts = lines.filter((line) => line.startsWith('weft_http_rejected_total{direction="inbound"'))
    return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  before(async () => {
    authority = await createAuthority()
    folder = await mkdtemp(join(tmpdir(), 'weft-gateway-'))
    pair = await startPair({
      app(received, answer) {
        seen = received.headers
        answer.end('hello')
      },
    })
    const log = createLog('test')
    log.level = 'silent'
    log.error = (fields: unknown) => void errors.push(fields)
    gateway = await startGateway({
      host: '127.0.0.1',
      certificatesFolder: folder,
      snapshots: pair.outboundSnapshots,
      identity: pair.clientIdentity,
      metrics: pair.metrics,
      log,
      tracer: trace.getTracer('test'),
    })
  })
  after(async () => {
    await gateway.drain(0)
    await pair[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  afterEach(() => {
    errors.length = 0
  })

  it('sends requests where its routes say, and tells the app who called instead of what the caller says', async () => {
    const port = await freePort()
    await given([{ name: 'http', port, routes: routesTo() }])
    const forged = [
      'x-forwarded-for',
      'x-forwarded-proto',
      'forwarded',
      'x_forwarded_for',
      'x-real-ip',
      'x-original-url',
    ]
    const headers = Object.fromEntries(
      [...forged, 'x-forwarded-client-cert', 'x-weft-a'].map((name) => [name, 'forged']),
    )
    const { status, body } = await call(port, { host: 'shop.example', headers })
    assert.deepEqual([status, body], [200, 'hello'])
    assert.deepEqual(
      Object.entries(seen).filter(([name]) => name.includes('forward') || name in headers),
      [
        ['x-forwarded-for', '127.0.0.1'],
        ['x-forwarded-proto', 'http'],
        ['x-forwarded-host', 'shop.example'],
        ['x-forwarded-client-cert', 'URI=spiffe://weft.local/ns/default/sa/client'],
      ],
    )
  })

  it('lets nobody in whom no policy lets in', async () => {
    const port = await freePort()
    await given([{ name: 'http', port, routes: routesTo() }], {}, [])
    const { status, problem } = await call(port)
    assert.equal(status, 403)
    assert.match(String(problem.detail), /a caller without identity may not GET \/ of gateway default\/shop/)
  })

  it('knows the hosts of its listeners, the most specific first, and no others', async () => {
    const port = await freePort()
    const redirectTo = (hostname: string) => routesTo({ redirect: { status: 302, hostname } })
    await given([
      { name: 'one', port, hostname: 'shop.example', routes: redirectTo('one') },
      { name: 'some', port, hostname: '*.example', routes: redirectTo('some') },
      { name: 'bare', port, hostname: 'bare.test' },
    ])
    const locationOf = async (host: string) => (await call(port, { host })).headers.location
    assert.match((await locationOf('SHOP.example')) ?? '', /^http:\/\/one/)
    assert.match((await locationOf('a.b.example:80')) ?? '', /^http:\/\/some/)
    for (const host of ['example', 'shop.test', 'bare.test']) {
      const { status, problem } = await call(port, { host })
      assert.deepEqual([status, problem.code], [404, 'WEFT3011'], host)
    }
  })

  it('proves the host that callers ask for, and refuses the handshake for any other', async () => {
    const port = await freePort()
    await Promise.all([certificate('shop', 'shop.example'), certificate('any', '*.wild.example')])
    await given([
      { name: 'shop', port, hostname: 'shop.example', tls: { certificates: ['shop'] }, routes: routesTo() },
      { name: 'any', port, hostname: '*.wild.example', tls: { certificates: ['any'] }, routes: routesTo() },
    ])
    const one = await get(port, 'shop.example')
    assert.deepEqual([one.status, one.names.includes('DNS:shop.example')], [200, true])
    assert.equal(seen['x-forwarded-proto'], 'https')
    const other = await get(port, 'a.wild.example')
    assert.deepEqual([other.status, other.names.includes('DNS:*.wild.example')], [200, true])
    const before = await rejections()
    await assert.rejects(get(port, 'elsewhere.example'))
    await assert.rejects(get(port, ''))
    assert.equal((await rejections()) - before, 2)
  })

  it('answers 421 where a connection for one host asks for another', async () => {
    const port = await freePort()
    await Promise.all([certificate('one', 'one.example'), certificate('two', 'two.example')])
    await given(
      ['one', 'two'].map((name) => ({
        name,
        port,
        hostname: `${name}.example`,
        tls: { certificates: [name] },
        routes: routesTo(),
      })),
    )
    assert.equal((await get(port, 'one.example', { headers: { host: 'two.example' } })).status, 421)
    assert.equal((await get(port, 'one.example', { headers: { host: 'three.example' } })).status, 404)
    assert.equal((await get(port, 'one.example', { headers: { host: 'ONE.example:443' } })).status, 200)
  })

  it('lets in who proves a certificate, where a listener asks for one, and tells policies its names', async () => {
    const port = await freePort()
    await Promise.all([certificate('shop', 'shop.example'), certificate('open', 'open.example')])
    await given([
      {
        name: 'partners',
        port,
        hostname: 'shop.example',
        tls: { certificates: ['shop'], clientAuthorities: ['shop'] },
        routes: routesTo(),
      },
      { name: 'open', port, hostname: 'open.example', tls: { certificates: ['open'] }, routes: routesTo() },
    ])
    const proving = async (by: TestAuthority, dnsNames: readonly string[]) => {
      const { certificateChainPem: cert, privateKeyPem: key } = await by.issue('someone', { dnsNames })
      return get(port, 'shop.example', { cert, key })
    }
    assert.equal((await proving(authority, ['partner.example'])).status, 200)
    assert.equal((await proving(authority, ['stranger.example'])).status, 403)
    await assert.rejects(proving(await createAuthority(), ['partner.example']))
    await assert.rejects(get(port, 'shop.example'))
    assert.equal((await get(port, 'open.example')).status, 200)
  })

  it('takes no certificate from outside for an identity of the mesh', async () => {
    const port = await freePort()
    await certificate('shop', 'shop.example')
    const tls = { certificates: ['shop'], clientAuthorities: ['shop'] }
    await given([{ name: 'shop', port, tls, routes: routesTo() }], {}, [
      policyFor([{ serviceAccount: 'client' }, { identity: 'spiffe://weft.local/ns/default/sa/*' }]),
    ])
    const { certificateChainPem: cert, privateKeyPem: key } = await authority.issue('client')
    assert.equal((await get(port, 'shop.example', { cert, key })).status, 403)
  })

  it('takes over a certificate that was renewed, and says which one is missing', async () => {
    const port = await freePort()
    await certificate('renewed', 'shop.example')
    const listeners = [
      {
        name: 'shop',
        port,
        hostname: 'shop.example',
        tls: { certificates: ['renewed'] },
        routes: routesTo(),
      },
      {
        name: 'none',
        port,
        hostname: 'none.example',
        tls: { certificates: ['missing'] },
        routes: routesTo(),
      },
    ]
    await given(listeners)
    await get(port, 'shop.example')
    await certificate('renewed', 'shop.example', 'new.example')
    assert.match((await get(port, 'shop.example')).names, /DNS:new\.example/)
    await assert.rejects(get(port, 'none.example'))
    assert.match(JSON.stringify(errors), /missing\/tls\.crt/)
  })

  it('redirects from http to https where a route says so', async () => {
    const port = await freePort()
    await given([
      { name: 'http', port, routes: routesTo({ redirect: { status: 301, scheme: 'https', port: 443 } }) },
    ])
    const { status, headers } = await call(port, { host: 'shop.example', path: '/a?b=c' })
    assert.equal(status, 301)
    assert.match(headers.location ?? '', /^https:\/\/shop\.example(:443)?\/a\?b=c$/)
  })

  it('answers 429 to a caller that is over its limit, and to no other', async () => {
    const port = await freePort()
    await certificate('shop', 'shop.example')
    const tls = { certificates: ['shop'], clientAuthorities: ['shop'] }
    await given(
      [{ name: 'shop', port, tls, routes: routesTo() }],
      { rateLimits: [limit('a', { requests: 2 })] },
      [policyFor([{ clientCertificate: 'DNS:*.partner.example' }])],
    )
    const statusOf = async (name: string): Promise<number> => {
      const { certificateChainPem: cert, privateKeyPem: key } = await authority.issue(name, {
        dnsNames: [`${name}.partner.example`],
      })
      return (await get(port, 'shop.example', { cert, key })).status
    }
    assert.deepEqual([await statusOf('one'), await statusOf('one'), await statusOf('one')], [200, 200, 429])
    assert.equal(await statusOf('two'), 200)
  })

  it('tells who is over a limit when to come back, and does not count whom no policy lets in', async () => {
    const port = await freePort()
    const rateLimits = [limit('all', { requests: 1, per: 'all' })]
    const listeners = [{ name: 'http', port, routes: routesTo() }]
    await given(listeners, { rateLimits }, [])
    for (let refused = 0; refused < 3; refused++) assert.equal((await call(port)).status, 403)
    await given(listeners, { rateLimits })
    assert.equal((await call(port)).headers.ratelimit, '"all";r=0;t=60')
    const { status, headers, problem } = await call(port)
    assert.deepEqual([status, headers['retry-after'], problem.code], [429, '60', 'WEFT3013'])
  })

  it('refuses bodies and heads that are too large', async () => {
    const port = await freePort()
    await given([{ name: 'http', port, routes: routesTo() }], { maxBodyBytes: 1000, maxHeadBytes: 1000 })
    const post = (headers: Record<string, string>, bytes: number) =>
      call(port, { method: 'POST', headers, body: Buffer.alloc(bytes) })
    assert.equal((await post({}, 1000)).status, 200)
    assert.deepEqual(await post({}, 1001).then(({ status, problem }) => [status, problem.code]), [
      413,
      'WEFT1002',
    ])
    assert.equal((await post({ 'transfer-encoding': 'chunked' }, 1000)).status, 200)
    assert.equal((await post({ 'transfer-encoding': 'chunked' }, 100_000)).status, 413)
    assert.equal((await call(port, { headers: { pad: 'x'.repeat(2000) } })).status, 431)
  })

  it('closes a port that is no longer named, and opens the others where one is taken', async () => {
    const [first, second] = [await freePort(), await freePort()]
    await given([{ name: 'one', port: first, routes: routesTo() }])
    assert.equal((await call(first)).status, 200)
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as AddressInfo
    await given([
      { name: 'taken', port, routes: routesTo() },
      { name: 'two', port: second, routes: routesTo() },
    ])
    assert.equal((await call(second)).status, 200)
    await assert.rejects(call(first))
    assert.match(JSON.stringify(errors), /EADDRINUSE/)
    await new Promise((resolve) => taken.close(resolve))
  })

  it('speaks HTTP/2 with callers that ask for it', async () => {
    const port = await freePort()
    await certificate('shop', 'shop.example')
    await given([{ name: 'shop', port, tls: { certificates: ['shop'] }, routes: routesTo() }])
    const session = connect(`https://127.0.0.1:${port}`, {
      servername: 'shop.example',
      ca: authority.rootPem,
    })
    const stream = session.request({
      ':path': '/',
      ':authority': 'shop.example',
      'x-forwarded-for': 'forged',
    })
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status': number }]
    assert.equal(headers[':status'], 200)
    assert.equal(seen['x-forwarded-for'], '127.0.0.1')
    session.destroy()
  })

  it('speaks TLS where it says so, and nothing else', async () => {
    const port = await freePort()
    await certificate('shop', 'shop.example')
    await given([{ name: 'shop', port, tls: { certificates: ['shop'] }, routes: routesTo() }])
    const before = await rejections()
    const answer = await exchange(port, 'GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n').catch(String)
    assert.doesNotMatch(answer, /200|hello/)
    assert.ok((await rejections()) > before)
  })
})
