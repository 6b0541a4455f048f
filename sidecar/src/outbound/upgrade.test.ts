import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { connect, createServer as createNetServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, it } from 'node:test'
import { DEFAULT_TRAFFIC } from '@weft/schemas/snapshot'
import { WebSocket, WebSocketServer } from 'ws'
import { call } from './calling.test-support.ts'
import { exchange, HTTP2_APP, type Pair, SERVER, startPair } from './pair.test-support.ts'

const NO_RETRY = { ...DEFAULT_TRAFFIC.retry, attempts: 0 }
const MIB = 1024 * 1024
const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ASK = `GET /chat HTTP/1.1\r\nHost: server\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n`
const ASK_RAW = 'GET /raw HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\nUpgrade: raw/1\r\n\r\n'
const REQUEST = 'GET /hidden HTTP/1.1\r\nHost: server\r\n\r\n'

/** An app with a real WebSocket server that sends back what it gets. */
function echoApp(): Server {
  const app = createServer((_, answer) => answer.end('hello'))
  const sockets = new WebSocketServer({ server: app, path: '/chat', maxPayload: 2 * MIB })
  sockets.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
  return app
}

/** An app that goes on with bytes: `serve` gets them. What it was asked in its own words is kept. */
function rawApp(serve: (socket: Duplex, first: Buffer) => void): Server & { readonly asked: string[] } {
  const asked: string[] = []
  const app = createServer((sent, answer) => {
    asked.push(`${sent.method} ${sent.url}`)
    answer.end('hello')
  })
  app.on('upgrade', (sent, socket, first) => {
    asked.push(`${sent.method} ${sent.url} ${sent.headers.upgrade}`)
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: raw/1\r\n\r\n')
    serve(socket, first)
  })
  return Object.assign(app, { asked })
}

function openWebSocket({ outbound }: Pair): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${outbound.port}/chat`, { headers: { host: 'server' } })
}

async function opened(pair: Pair): Promise<WebSocket> {
  const socket = openWebSocket(pair)
  await once(socket, 'open')
  return socket
}

async function answerOf(socket: WebSocket, message: string | Buffer): Promise<Buffer> {
  socket.send(message)
  const [data] = (await once(socket, 'message')) as [Buffer]
  return data
}

/** Resolves with the socket and what came with the answer, once that was a 101. */
async function openRaw(pair: Pair, bytes = ASK_RAW): Promise<Socket> {
  const socket = connect({ port: pair.outbound.port, host: '127.0.0.1', allowHalfOpen: true })
  socket.write(bytes)
  const [head] = (await once(socket, 'data')) as [Buffer]
  assert.match(head.toString(), /^HTTP\/1\.1 101 /)
  return socket
}

describe('a WebSocket through both sidecars', () => {
  it('carries messages of any size both ways, and closes with its code', async () => {
    await using pair = await startPair({ app: echoApp() })
    const socket = await opened(pair)

    assert.equal((await answerOf(socket, 'hello')).toString(), 'hello')
    const large = Buffer.alloc(MIB, 'x')
    assert.ok((await answerOf(socket, large)).equals(large))

    socket.close(4001, 'enough')
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 4001)
  })

  it('shares the connection between the sidecars with others and with requests', async () => {
    await using pair = await startPair({ app: echoApp() })
    const sockets = await Promise.all(Array.from({ length: 20 }, () => opened(pair)))

    const answers = await Promise.all(sockets.map((socket, at) => answerOf(socket, `${at}`)))
    assert.deepEqual(
      answers.map(String),
      sockets.map((_, at) => `${at}`),
    )
    assert.equal((await call(pair.outbound.port)).body, 'hello')
    for (const socket of sockets) socket.terminate()
  })

  it('is refused by policy like any GET of its path', async () => {
    await using pair = await startPair({ app: echoApp(), snapshot: { defaultAction: 'deny' } })
    const socket = openWebSocket(pair)

    const [error] = (await once(socket, 'error')) as [Error]
    assert.match(error.message, /403/)
  })

  it('is broken off when the policy that allowed it has changed', async () => {
    await using pair = await startPair({ app: echoApp() })
    const socket = await opened(pair)
    pair.inboundSnapshots.change({ samplingRatio: 0.5 })
    assert.equal((await answerOf(socket, 'still allowed')).toString(), 'still allowed')

    pair.inboundSnapshots.change({ defaultAction: 'deny' })
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1006)
  })

  it('is broken off when the service that it was for is gone', async () => {
    await using pair = await startPair({ app: echoApp() })
    const socket = await opened(pair)

    pair.inboundSnapshots.change({ workload: { identity: SERVER, namespace: 'default' } })
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1006)
  })

  it('gets the answer of an app that does not want it', async () => {
    await using pair = await startPair({ app: (_, answer) => answer.writeHead(426).end('no') })
    const text = await exchange(pair.outbound.port, `${ASK}Sec-WebSocket-Key: ${KEY}\r\n\r\n`)

    assert.match(text, /^HTTP\/1\.1 426 .*connection: close.*\r\nno\r\n/is)
  })

  it('ends at its caller when the app dies, and at the app when the caller does', async () => {
    const app = echoApp()
    const connections: Socket[] = []
    app.on('connection', (socket: Socket) => connections.push(socket))
    await using pair = await startPair({ app })
    const first = await opened(pair)
    const second = await opened(pair)

    first.terminate()
    await once(connections[0] as Socket, 'close')
    connections[1]?.destroy()
    const [code] = (await once(second, 'close')) as [number]
    assert.equal(code, 1006)
  })

  it('is given the time of the drain, and then closed', async () => {
    await using pair = await startPair({ app: echoApp() })
    const socket = await opened(pair)
    const drained = pair.outbound.drain(200)
    assert.equal((await answerOf(socket, 'still here')).toString(), 'still here')
    await Promise.all([drained, once(socket, 'close')])
  })

  it('answers a caller over HTTP/2, which has no key, and an app over HTTP/2, which has no answer to one', async () => {
    const app = createHttp2Server({ settings: { enableConnectProtocol: true } })
    app.on('stream', (stream, head) => {
      stream.respond({ ':status': head[':protocol'] === 'websocket' ? 200 : 400 })
      stream.pipe(stream)
    })
    await using pair = await startPair({ app, snapshot: HTTP2_APP })
    const socket = connect({ port: pair.outbound.port, host: '127.0.0.1' })
    socket.write(`${ASK}Sec-WebSocket-Key: ${KEY}\r\n\r\n`)
    const [head] = (await once(socket, 'data')) as [Buffer]
    // RFC 6455, section 1.3.
    assert.match(
      head.toString(),
      /^HTTP\/1\.1 101 .*sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/is,
    )
    socket.write('ping')
    assert.equal(String((await once(socket, 'data'))[0]), 'ping')
    socket.destroy()
  })

  it('opens by an extended CONNECT of HTTP/2 to an app of HTTP/1.1', async () => {
    await using pair = await startPair({ app: echoApp() })
    const session = connectHttp2(`http://127.0.0.1:${pair.outbound.port}`)
    await once(session, 'remoteSettings')
    const stream = session.request({
      ':method': 'CONNECT',
      ':protocol': 'websocket',
      ':authority': 'server',
      ':scheme': 'http',
      ':path': '/chat',
      'sec-websocket-version': '13',
    })
    const [head] = (await once(stream, 'response')) as [Record<string, unknown>]
    assert.equal(head[':status'], 200)
    assert.equal(head['sec-websocket-accept'], undefined)
    // A masked text frame of `hi`, with a mask of zeros.
    stream.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]))
    const [frame] = (await once(stream, 'data')) as [Buffer]
    assert.deepEqual([...frame], [0x81, 0x02, 0x68, 0x69])
    session.destroy()
  })
})

describe('an upgrade to another protocol', () => {
  it('carries what came before the answer after it, and never reads it as a request', async () => {
    const app = rawApp((socket, first) => {
      socket.write(first)
      socket.pipe(socket)
    })
    await using pair = await startPair({ app })
    const socket = connect({ port: pair.outbound.port, host: '127.0.0.1' })
    socket.write(`${ASK_RAW}${REQUEST}`)
    let text = ''
    for await (const chunk of socket) {
      text += String(chunk)
      if (text.endsWith(REQUEST)) break
    }

    assert.match(text, /^HTTP\/1\.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\/1\r\n/)
    assert.deepEqual(app.asked, ['GET /raw raw/1'])
  })

  it('never reads what follows as a request where it is refused either', async () => {
    const asked: string[] = []
    await using pair = await startPair({
      app: (sent, answer) => {
        asked.push(sent.url ?? '')
        answer.writeHead(400).end('no')
      },
    })
    const text = await exchange(pair.outbound.port, `${ASK_RAW}${REQUEST}`)

    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1)
    assert.deepEqual(asked, ['/raw'])
  })

  it('shuts one half, and the other one goes on', async () => {
    await using pair = await startPair({
      app: rawApp((socket) => {
        let received = ''
        socket.on('data', (chunk) => (received += String(chunk)))
        socket.on('end', () => socket.end(`${received.length} bytes came`))
      }),
    })
    const socket = await openRaw(pair)
    socket.end('x'.repeat(MIB))
    let text = ''
    for await (const chunk of socket) text += String(chunk)

    assert.equal(text, `${MIB} bytes came`)
  })

  it('is a plain request where it offers HTTP/2 only, or Connection does not name it', async () => {
    const app = rawApp((socket) => socket.end())
    await using pair = await startPair({ app })
    for (const fields of ['Connection: Upgrade\r\nUpgrade: h2c\r\n', 'Upgrade: raw/1\r\n']) {
      const text = `GET /plain HTTP/1.1\r\nHost: server\r\n${fields}\r\n`
      assert.match(
        await exchange(pair.outbound.port, text, (got) => got.includes('hello')),
        /^HTTP\/1\.1 200 /,
      )
    }
    assert.deepEqual(app.asked, ['GET /plain', 'GET /plain'])
  })

  it('does not take a 101 that nobody asked for, or to something else', async () => {
    const app = createNetServer((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'),
      )
    })
    await using pair = await startPair({ app, traffic: { retry: NO_RETRY } })
    assert.equal((await call(pair.outbound.port)).status, 502)
    assert.match(await exchange(pair.outbound.port, ASK_RAW), /^HTTP\/1\.1 502 /)
  })

  it('gives up where no answer comes in time', async () => {
    const app = createNetServer((socket) => void socket.resume())
    await using pair = await startPair({ app, traffic: { requestTimeoutMs: 100, retry: NO_RETRY } })
    assert.match(await exchange(pair.outbound.port, ASK_RAW), /^HTTP\/1\.1 504 /)
  })

  it('is held by no more than a window where the app does not read', async () => {
    let accepted: Duplex | undefined
    await using pair = await startPair({
      app: rawApp((socket) => {
        accepted = socket
        socket.pause()
      }),
    })
    const socket = await openRaw(pair)
    const piece = Buffer.alloc(MIB, 'x')
    let written = 0
    // Until nothing moves any more while others are served.
    const served = async (): Promise<void> => {
      for (let calls = 0; calls < 100; calls++) await call(pair.outbound.port)
    }
    while (written < 200 * MIB) {
      written += piece.length
      if (socket.write(piece)) continue
      const moved = await Promise.race([once(socket, 'drain').then(() => true), served().then(() => false)])
      if (!moved) break
    }
    assert.ok(written < 64 * MIB, `${written} bytes were taken`)
    socket.destroy()
    accepted?.destroy()
  })
})
