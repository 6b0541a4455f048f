import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import type { NamedPolicy } from '@weft/schemas/policy'
import { type Pair, startPair, TCP_PORT } from './pair.test-support.ts'

const MIB = 1024 * 1024
const CONNECT = `CONNECT server:${TCP_PORT} HTTP/1.1\r\nHost: server:${TCP_PORT}\r\n\r\n`

/** An app that speaks no HTTP. */
const app = (onSocket: (socket: Socket) => void): Server =>
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {})
    onSocket(socket)
  })
const echo = app((socket) => socket.pipe(socket))

/** A tunnel to the app through both sidecars, and what the sidecar said when it stood. */
async function tunnel(pair: Pair, early = ''): Promise<{ readonly socket: Socket; readonly head: string }> {
  const socket = connect({ port: pair.outbound.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.on('error', () => {})
  socket.write(CONNECT + early)
  let head = ''
  while (!head.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    head += chunk.toString('latin1')
  }
  socket.pause()
  const end = head.indexOf('\r\n\r\n') + 4
  if (head.length > end) socket.unshift(Buffer.from(head.slice(end), 'latin1'))
  return { socket, head: head.slice(0, end) }
}

async function everything(socket: Socket): Promise<string> {
  let text = ''
  for await (const chunk of socket) text += (chunk as Buffer).toString('latin1')
  return text
}

async function valuesOf(pair: Pair, name: 'weft_tcp_bytes_total' | 'weft_tcp_connections_total') {
  const { values } = await pair.metrics.counter(name).get()
  return values.map(({ labels, value }): Readonly<Record<string, unknown>> => ({ ...labels, value }))
}

const policy = (ports: readonly number[]): NamedPolicy => ({
  name: 'db',
  namespace: 'default',
  target: { service: 'server' },
  action: 'allow',
  mode: 'enforce',
  rules: [{ from: [{ serviceAccount: 'client' }], to: [{ tcp: { ports } }] }],
})

describe('opaque TCP through both sidecars', () => {
  it('carries bytes both ways, those that came with CONNECT first', async () => {
    await using pair = await startPair({ app: app((socket) => socket.pipe(socket)) })

    const { socket, head } = await tunnel(pair, 'early ')
    socket.end('late')

    assert.equal(head, 'HTTP/1.1 200 OK\r\n\r\n')
    assert.equal(await everything(socket), 'early late')
  })

  it('lets the server speak first', async () => {
    await using pair = await startPair({ app: app((socket) => socket.end('220 ready\r\n')) })

    const { socket } = await tunnel(pair)

    assert.equal(await everything(socket), '220 ready\r\n')
    socket.destroy()
  })

  it('shuts each half by itself: a caller that has said everything still gets its answer', async () => {
    await using pair = await startPair({
      app: app((socket) => {
        let asked = ''
        socket.on('data', (chunk: Buffer) => {
          asked += chunk.toString()
        })
        socket.on('end', () => setImmediate(() => socket.end(`you said ${asked}`)))
      }),
    })

    const { socket } = await tunnel(pair)
    socket.end('all of it')

    assert.equal(await everything(socket), 'you said all of it')
  })

  it('shuts each half by itself: a server that has said everything still hears its caller', async () => {
    const heard = Promise.withResolvers<string>()
    await using pair = await startPair({
      app: app((socket) => {
        socket.end('bye')
        heard.resolve(everything(socket))
      }),
    })

    const { socket } = await tunnel(pair)
    assert.equal(await everything(socket), 'bye')
    socket.end('after the end')

    assert.equal(await heard.promise, 'after the end')
  })

  it('stops a caller whose app reads nothing, and then loses no byte', async () => {
    const accepted = Promise.withResolvers<Socket>()
    await using pair = await startPair({ app: app((socket) => accepted.resolve(socket)) })
    const { socket } = await tunnel(pair)
    const piece = Buffer.alloc(MIB, 'x')
    let taken = 0
    // The kernel's buffers on three hops take some MiB; when they are full the caller's own write waits.
    while (taken < 100 && (socket.write(piece) || (await drainOrStall(socket)))) taken++
    assert.ok(taken < 90, `the app reads nothing, but ${taken} MiB were taken`)
    socket.end()

    const served = await accepted.promise
    let received = 0
    for await (const chunk of served) received += (chunk as Buffer).length

    served.end()
    assert.equal(received, socket.bytesWritten - CONNECT.length)
    assert.equal(await everything(socket), '')
  })

  it('counts connections and bytes by who called whom', async () => {
    await using pair = await startPair({
      app: app((socket) => socket.resume().on('end', () => socket.end('12345'))),
    })
    const { socket } = await tunnel(pair)
    socket.end('123')
    await everything(socket)
    await until(async () => (await valuesOf(pair, 'weft_tcp_bytes_total')).length === 4)

    const parties = { source: 'client', destination: 'server' }
    assert.deepEqual(
      (await valuesOf(pair, 'weft_tcp_connections_total')).map(
        ({ direction, error, source, destination }) => [direction, source, destination, error],
      ),
      [
        ['inbound', 'client', 'server', '-'],
        ['outbound', 'client', 'server', '-'],
      ],
    )
    for (const direction of ['inbound', 'outbound'])
      for (const [flow, value] of [
        ['sent', 3],
        ['received', 5],
      ] as const)
        assert.ok(
          (await valuesOf(pair, 'weft_tcp_bytes_total')).some(
            (counted) => JSON.stringify(counted) === JSON.stringify({ direction, ...parties, flow, value }),
          ),
          `${direction} ${flow} ${value}`,
        )
  })

  it('resets the caller where the app resets: nobody takes half for the whole', async () => {
    await using pair = await startPair({
      app: app((socket) => socket.once('data', () => socket.resetAndDestroy())),
    })
    const { socket } = await tunnel(pair)
    socket.write('x')

    await assert.rejects(everything(socket), { code: 'ECONNRESET' })
  })
})

describe('opaque TCP is refused', () => {
  it('by policy, with the policy named, and the app sees nothing', async () => {
    let connections = 0
    await using pair = await startPair({
      app: app(() => void connections++),
      snapshot: { defaultAction: 'deny', policies: [policy([1])] },
    })

    const { socket, head } = await tunnel(pair)
    const body = await everything(socket)

    assert.match(head, /^HTTP\/1\.1 403 /)
    assert.match(body, /may not connect to port 5432 of service default\/server: policy default\/db does not/)
    assert.equal(connections, 0)
    const { values } = await pair.metrics.counter('weft_policy_refused_total').get()
    assert.deepEqual(values[0]?.labels, {
      protocol: 'tcp',
      source: 'client',
      target: 'server',
      policy: 'default/db',
      mode: 'enforce',
    })
  })

  it('by a policy that changes while it is open', async () => {
    await using pair = await startPair({
      app: echo,
      snapshot: { defaultAction: 'deny', policies: [policy([TCP_PORT])] },
    })
    const { socket, head } = await tunnel(pair)
    assert.match(head, /^HTTP\/1\.1 200 /)

    pair.inboundSnapshots.change({ policies: [policy([1])] })

    await assert.rejects(everything(socket), { code: 'ECONNRESET' })
  })

  it('where the app is down, with 503', async () => {
    await using pair = await startPair({ app: app(() => {}), inboundAppPort: 1 })

    const { head } = await tunnel(pair)

    assert.match(head, /^HTTP\/1\.1 503 /)
  })

  it('for a port that is no tcp port of the workload', async () => {
    await using pair = await startPair({ app: app(() => {}) })
    const { workload } = pair.inboundSnapshots.current().snapshot
    pair.inboundSnapshots.change({ workload: { ...workload, tcpPorts: [] } })

    const { head, socket } = await tunnel(pair)

    assert.match(head, /^HTTP\/1\.1 421 /)
    socket.destroy()
  })

  it('beyond the connections that the service may have', async () => {
    await using pair = await startPair({
      app: app((socket) => socket.pipe(socket)),
      traffic: { maxConnections: 1 },
    })
    const first = await tunnel(pair)

    const second = await tunnel(pair)

    assert.match(second.head, /^HTTP\/1\.1 503 /)
    first.socket.destroy()
    second.socket.destroy()
  })
})

/** False when nothing moves any more: see bodies.test.ts. */
async function drainOrStall(socket: Socket): Promise<boolean> {
  let isDrained = false
  socket.once('drain', () => {
    isDrained = true
  })
  for (let turn = 0; turn < 2000 && !isDrained; turn++) await new Promise((resolve) => setImmediate(resolve))
  return isDrained
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setImmediate(resolve))
}
