import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { connect, createServer as createNetServer } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { TLSSocket } from 'node:tls'
import type { NamedPolicy } from '@weft/schemas/policy'
import { DEFAULT_TRAFFIC, type ServiceEntry } from '@weft/schemas/snapshot'
import type { TestAuthority } from '../../listen/certificates.test-support.ts'
import { createAuthority } from '../../listen/certificates.test-support.ts'
import { call } from '../calling.test-support.ts'
import { type Pair, portOf, startPair } from '../pair.test-support.ts'
import { until } from '../until.test-support.ts'

const HOST = 'api.payments.example'
const mayCallOut: NamedPolicy = {
  name: 'out',
  namespace: 'default',
  target: { externalService: 'payments' },
  action: 'allow',
  mode: 'enforce',
  rules: [{ from: [{ serviceAccount: 'client' }], to: [{ http: { paths: ['/charge'] } }] }],
}

/** An ExternalService at a port of this host, as translation writes it. */
function external(port: number, part: Partial<ServiceEntry['external']> = {}): ServiceEntry {
  return {
    name: `${HOST}:80`,
    namespace: 'default',
    hosts: [HOST, `${HOST}:80`],
    endpoints: [{ address: '127.0.0.1', port, identity: '', labels: {} }],
    traffic: DEFAULT_TRAFFIC,
    external: { name: 'payments', resolution: 'static', ...part },
  }
}

async function started(server: Server, host = '127.0.0.1'): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  return server
}

function ended(server: Server): Promise<unknown> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeAllConnections()
  return closed
}

const echo: RequestListener = ({ headers, url }, answer) => void answer.end(`${headers.host} ${url}`)

describe('a service outside of the mesh', () => {
  let pair: Pair
  let authority: TestAuthority
  let folder: string
  const servers: Server[] = []
  const serve = async (server: Server, host?: string): Promise<number> => {
    servers.push(server)
    return portOf(await started(server, host))
  }
  const given = (service: ServiceEntry, policies: readonly NamedPolicy[] = [mayCallOut]) =>
    pair.outboundSnapshots.change({ services: [service], policies, defaultAction: 'deny' })
  const charge = (path = '/charge', host = HOST) => call(pair.outbound.port, { host, path })

  before(async () => {
    pair = await startPair()
    authority = await createAuthority()
    folder = await mkdtemp(join(tmpdir(), 'weft-external-'))
  })
  after(async () => {
    await pair[Symbol.asyncDispose]()
    await Promise.all(servers.map(ended))
    await rm(folder, { recursive: true })
  })

  it('is called in plain text where its resource says nothing of TLS', async () => {
    given(external(await serve(createServer(echo))))
    const { status, body } = await charge()
    assert.deepEqual([status, body], [200, `${HOST} /charge`])
  })

  it('is called by those whom a policy lets out, and for what it lets out', async () => {
    const port = await serve(createServer(echo))
    given(external(port), [])
    assert.deepEqual([(await charge()).status, (await charge()).problem.code], [403, 'WEFT2003'])
    given(external(port))
    const { status, problem } = await charge('/admin')
    assert.equal(status, 403)
    assert.match(
      String(problem.detail),
      /^spiffe:\/\/weft\.local\/ns\/default\/sa\/client may not GET \/admin of externalService default\/payments: /,
    )
    given(external(port), [{ ...mayCallOut, rules: [{ from: [{ serviceAccount: 'other' }] }] }])
    assert.equal((await charge()).status, 403)
  })

  it('is called over TLS, under the name that it proves', async () => {
    const { certificateChainPem: cert, privateKeyPem: key } = await authority.issue('out', {
      dnsNames: [HOST],
    })
    const port = await serve(createTlsServer({ cert, key }, echo) as Server)
    given(external(port, { tls: { serverName: HOST, ca: { inline: authority.rootPem } } }))
    const { status, body } = await charge()
    assert.deepEqual([status, body], [200, `${HOST}:${port} /charge`])
  })

  it('is not believed under another name, by another authority, or by those of the system', async () => {
    const stranger = await createAuthority()
    const { certificateChainPem: cert, privateKeyPem: key } = await authority.issue('out', {
      dnsNames: [HOST],
    })
    const port = await serve(createTlsServer({ cert, key }, echo) as Server)
    for (const tls of [
      { serverName: 'other.example', ca: { inline: authority.rootPem } },
      { serverName: HOST, ca: { inline: stranger.rootPem } },
      { serverName: HOST },
    ]) {
      given(external(port, { tls }))
      const { status, problem } = await charge()
      assert.deepEqual([status, problem.code], [503, 'WEFT3010'], JSON.stringify(problem))
    }
  })

  it('is shown the certificate of the resource, which may be renewed in its files', async () => {
    const [server, ...clients] = await Promise.all([
      authority.issue('out', { dnsNames: [HOST] }),
      authority.issue('partner-1'),
      authority.issue('partner-2'),
    ])
    const seen: (string | undefined)[] = []
    const options = { cert: server.certificateChainPem, key: server.privateKeyPem, ca: authority.rootPem }
    const port = await serve(
      createTlsServer({ ...options, requestCert: true }, ({ socket }, answer) => {
        const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
        seen.push(certificate?.subjectAltName)
        answer.setHeader('connection', 'close').end()
      }) as Server,
    )
    const files = { certificateFile: join(folder, 'tls.crt'), privateKeyFile: join(folder, 'tls.key') }
    const tls = { serverName: HOST, ca: { inline: authority.rootPem }, clientCertificate: files }
    for (const client of clients) {
      await writeFile(files.certificateFile, client.certificateChainPem)
      await writeFile(files.privateKeyFile, client.privateKeyPem)
      given(external(port, { tls }))
      assert.equal((await charge()).status, 200)
    }
    assert.deepEqual(
      seen.map((name) => name?.split('/').at(-1)),
      ['partner-1', 'partner-2'],
    )
  })

  it('whose client certificate cannot be read is not called', async () => {
    const file = join(folder, 'nothing.pem')
    given(external(1, { tls: { clientCertificate: { certificateFile: file, privateKeyFile: file } } }))
    const { status, problem } = await charge()
    assert.deepEqual([status, problem.code], [503, 'WEFT3003'])
  })

  it('is reached at whichever of its addresses answers', async () => {
    const port = await serve(createServer(echo))
    const service = external(port, { resolution: 'dns' })
    given({ ...service, endpoints: [{ address: 'localhost', port, identity: '', labels: {} }] })
    assert.equal((await charge()).status, 200)
  })

  it('is tried again where it cannot be reached, elsewhere', async () => {
    const port = await serve(createServer(echo))
    const [endpoint] = external(port).endpoints
    if (endpoint === undefined) throw new Error('no endpoint')
    given({ ...external(port), endpoints: [{ ...endpoint, port: 1 }, endpoint] })
    for (let each = 0; each < 8; each++) assert.equal((await charge()).status, 200)
  })

  it('is unknown where nobody defined it', async () => {
    given(external(1))
    const { status, problem } = await charge('/', 'elsewhere.example')
    assert.deepEqual([status, problem.code], [502, 'WEFT3001'])
  })
})

describe('a port of protocol tcp of a service outside', () => {
  const HOST_AND_PORT = 'db.example:5432'
  const database = (...ports: readonly number[]): ServiceEntry => ({
    ...external(0),
    name: HOST_AND_PORT,
    hosts: [HOST_AND_PORT],
    endpoints: ports.map((port) => ({ address: '127.0.0.1', port, identity: '', labels: {} })),
    external: { name: 'db', resolution: 'static' },
    tcpPorts: [5432],
  })
  const mayConnect: NamedPolicy = {
    ...mayCallOut,
    target: { externalService: 'db' },
    rules: [{ from: [{ serviceAccount: 'client' }], to: [{ tcp: { ports: [5432] } }] }],
  }
  const connectTo = async (pair: Pair, authority: string, said = ''): Promise<readonly string[]> => {
    const socket = connect({ port: pair.outbound.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
    socket.end(said)
    const [head = '', carried = ''] = (await text(socket)).split('\r\n\r\n')
    return [head.split(' ')[1] ?? '', carried]
  }

  it('is carried unread to whom a policy lets out, at whichever of its endpoints answers', async (t) => {
    await using pair = await startPair()
    const server = createNetServer({ allowHalfOpen: true }, (socket) => {
      socket.write('hello ')
      socket.pipe(socket)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const dead = createNetServer().listen(0, '127.0.0.1')
    await once(dead, 'listening')
    const deadPort = portOf(dead)
    dead.close()
    const given = (policies: readonly NamedPolicy[], ...ports: readonly number[]) =>
      pair.outboundSnapshots.change({ services: [database(...ports)], policies, defaultAction: 'deny' })

    given([mayConnect], portOf(server), deadPort, deadPort)
    for (let tries = 0; tries < 8; tries++)
      assert.deepEqual(await connectTo(pair, HOST_AND_PORT, '\u0016bytes'), ['200', 'hello \u0016bytes'])
    given([mayConnect], deadPort)
    assert.equal((await connectTo(pair, HOST_AND_PORT))[0], '503')
    given([mayConnect])
    assert.equal((await connectTo(pair, HOST_AND_PORT))[0], '503')

    for (const refused of [
      [],
      [{ ...mayConnect, rules: [{ from: [{ serviceAccount: 'client' }], to: [{ tcp: { ports: [1] } }] }] }],
      [{ ...mayConnect, target: { service: 'db' } }],
      [{ ...mayConnect, rules: [{ from: [{ serviceAccount: 'client' }], to: [{ http: {} }] }] }],
      [mayConnect, { ...mayConnect, name: 'no', action: 'deny' as const }],
    ]) {
      given(refused, portOf(server))
      assert.equal((await connectTo(pair, HOST_AND_PORT))[0], '403', JSON.stringify(refused))
    }
    given([mayConnect], portOf(server))
    assert.equal((await connectTo(pair, 'db.example:5433'))[0], '502', 'another port is no service')
    const refusals = await pair.metrics.counter('weft_policy_refused_total').get()
    assert.ok(
      refusals.values.some(({ labels }) => labels.target === 'default/db' && labels.protocol === 'tcp'),
    )
  })

  it('keeps to the limit of connections', async (t) => {
    await using pair = await startPair()
    const server = createNetServer((socket) => void socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const service = { ...database(portOf(server)), traffic: { ...DEFAULT_TRAFFIC, maxConnections: 2 } }
    pair.outboundSnapshots.change({ services: [service], policies: [mayConnect], defaultAction: 'deny' })
    const open = async () => {
      const socket = connect(pair.outbound.port, '127.0.0.1')
      socket.write(`CONNECT ${HOST_AND_PORT} HTTP/1.1\r\nHost: ${HOST_AND_PORT}\r\n\r\n`)
      const [head] = (await once(socket, 'data')) as [Buffer]
      return { socket, status: String(head).split(' ')[1] }
    }
    const first = await open()
    const second = await open()
    const third = await open()
    assert.deepEqual([first.status, second.status, third.status], ['200', '200', '503'])
    first.socket.destroy()
    await until(async () => {
      const again = await open()
      again.socket.destroy()
      return again.status === '200'
    })
    second.socket.destroy()
    third.socket.destroy()
  })
})

describe('egress to anywhere', () => {
  let pair: Pair
  before(async () => {
    pair = await startPair()
    pair.outboundSnapshots.change({ egress: 'allowAll', defaultAction: 'deny' })
  })
  after(() => pair[Symbol.asyncDispose]())

  it('carries what it does not read, by CONNECT and captured', async (t) => {
    const address = Object.values(networkInterfaces())
      .flat()
      .find((each) => each?.family === 'IPv4' && !each.internal)?.address
    if (address === undefined) return t.skip('this machine has no address but those of loopback')
    // Says hello first, as a mail server does, and answers after the other side has ended its half.
    const echo = createNetServer({ allowHalfOpen: true }, (socket) => {
      socket.write('hello ')
      let heard = ''
      socket.on('data', (chunk) => (heard += String(chunk)))
      socket.on('end', () => socket.end(heard.toUpperCase()))
    }).listen(0, address)
    await once(echo, 'listening')
    const port = portOf(echo)

    const tunnel = connect({ port: pair.outbound.port, host: '127.0.0.1', allowHalfOpen: true })
    tunnel.write(`CONNECT ${address}:${port} HTTP/1.1\r\nHost: ${address}:${port}\r\n\r\n`)
    tunnel.end('\u0016opaque')
    const [head = '', carried] = (await text(tunnel)).split('\r\n\r\n')
    assert.match(head, /^HTTP\/1\.1 200 /)
    assert.equal(carried, 'hello \u0016OPAQUE')

    await using capturing = await startPair({ outboundDestination: { address, port } })
    capturing.outboundSnapshots.change({ egress: 'allowAll', defaultAction: 'deny' })
    const captured = connect({ port: capturing.outbound.port, host: '127.0.0.1', allowHalfOpen: true })
    captured.end('\u0016\u0003\u0001 no request')
    assert.equal(await text(captured), 'hello \u0016\u0003\u0001 NO REQUEST')

    const denied: NamedPolicy = { ...mayCallOut, action: 'deny', target: { mesh: true }, rules: [{}] }
    capturing.outboundSnapshots.change({ policies: [denied] })
    const refused = connect({ port: capturing.outbound.port, host: '127.0.0.1' })
    refused.on('error', () => {})
    refused.write('\u0016\u0003\u0001 no request')
    assert.equal(await text(refused).catch(() => ''), '')
    echo.close()
  })

  it('opens no tunnel to this host or its link, nor anywhere where calls go to services only', async () => {
    const port = portOf(pair.app)
    const ask = async (authority: string): Promise<string> => {
      const socket = connect(pair.outbound.port, '127.0.0.1')
      socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`)
      return (await text(socket)).split('\r\n')[0] ?? ''
    }
    for (const host of ['127.0.0.1', 'localhost', '0.0.0.0', '[::1]', '[::ffff:127.0.0.1]'])
      assert.match(await ask(`${host}:${port}`), / 502 /, host)
    assert.match(await ask('169.254.169.254:80'), / 502 /)
    assert.match(await ask('nowhere.invalid:443'), / 50[23] /)
    pair.outboundSnapshots.change({ egress: undefined as never })
    assert.match(await ask('203.0.113.1:443'), / 502 /)
    pair.outboundSnapshots.change({ egress: 'allowAll' })
  })

  it('never leads to this host or its link, however that is written', async () => {
    const port = portOf(pair.app)
    for (const host of [
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `LOCALHOST:${port}`,
      `127.1:${port}`,
      `2130706433:${port}`,
      `0x7f000001:${port}`,
      `0.0.0.0:${port}`,
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      '169.254.169.254',
      '[fd00:ec2::254]',
    ]) {
      const { status, problem } = await call(pair.outbound.port, { host })
      // What no resolver takes for an address is no host: nothing is called either way.
      assert.ok(
        problem.code === 'WEFT3020' || problem.code === 'WEFT3003',
        `${host}: ${status} ${String(problem.detail)}`,
      )
    }
  })

  it('does not reach what an ExternalService would have to name', async () => {
    const { status, problem } = await call(pair.outbound.port, { host: `127.0.0.1:${portOf(pair.app)}` })
    assert.deepEqual([status, problem.code], [502, 'WEFT3020'])
  })

  it('knows no port 0, and none beyond the last', async () => {
    for (const port of [0, 65_536, 99_999]) {
      const { problem } = await call(pair.outbound.port, { host: `a.example:${port}` })
      assert.equal(problem.code, 'WEFT3001')
    }
  })

  it('is denied by what denies everything to the caller', async () => {
    const rules = [{ from: [{ serviceAccount: 'client' }] }]
    const deny: NamedPolicy = {
      ...mayCallOut,
      name: 'nothing',
      target: { mesh: true },
      action: 'deny',
      rules,
    }
    pair.outboundSnapshots.change({ policies: [deny] })
    assert.equal((await call(pair.outbound.port, { host: 'a.example' })).status, 403)
    pair.outboundSnapshots.change({ policies: [] })
  })

  it('holds no more than its limit of hosts', async () => {
    for (let each = 0; each < 300; each++)
      assert.equal((await call(pair.outbound.port, { host: `127.0.0.2:${10_000 + each}` })).status, 502)
  })
})
