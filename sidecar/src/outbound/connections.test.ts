import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { DEFAULT_TRAFFIC } from '@weft/schemas/snapshot'
import { call } from './calling.test-support.ts'
import { portOf, SERVER, serviceOf, startPair } from './pair.test-support.ts'

describe('the connections of outbound', () => {
  it('are given up when they are not made in time', async () => {
    // A listener that accepts and never speaks TLS: the handshake hangs.
    const sockets: Socket[] = []
    const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const retry = { ...DEFAULT_TRAFFIC.retry, attempts: 0 }
    await using pair = await startPair()
    const endpoint = { address: '127.0.0.1', port: portOf(silent), identity: SERVER, labels: {} }
    pair.outboundSnapshots.change({ services: [serviceOf([endpoint], { connectTimeoutMs: 50, retry })] })

    const { status, problem } = await call(pair.outbound.port)

    assert.deepEqual([status, problem.code], [503, 'WEFT3003'])
    silent.close()
    for (const socket of sockets) socket.destroy()
  })

  it('are believed only with the identity that the snapshot names', async () => {
    await using pair = await startPair()
    const endpoint = { ...pair.endpoint, identity: 'spiffe://weft.local/ns/default/sa/other' }
    pair.outboundSnapshots.change({ services: [serviceOf([endpoint])] })

    const { status, problem } = await call(pair.outbound.port)

    assert.deepEqual([status, problem.code], [503, 'WEFT3010'])
    assert.match(String(problem.detail), /expected spiffe:.*\/sa\/other .*; spiffe:.*\/sa\/server came/)
  })

  it('are kept over snapshots, and left after a rotation', async () => {
    await using pair = await startPair({ plaintext: false })
    const agent = new Agent({ keepAlive: true })
    let connections = 0
    const counting = createServer((socket) => {
      connections++
      const through = connect(pair.inbound.port, '127.0.0.1')
      socket.pipe(through).pipe(socket)
      socket.on('error', () => through.destroy())
      through.on('error', () => socket.destroy())
    }).listen(0, '127.0.0.1')
    await once(counting, 'listening')
    const services = [serviceOf([{ ...pair.endpoint, port: portOf(counting) }])]
    pair.outboundSnapshots.change({ services })

    await call(pair.outbound.port, { agent })
    pair.outboundSnapshots.change({ services: [...services] })
    await call(pair.outbound.port, { agent })
    assert.equal(connections, 1)

    pair.clientIdentity.rotate(await pair.authority.issue('client'))
    assert.equal((await call(pair.outbound.port, { agent })).status, 200)
    assert.equal(connections, 2)
    agent.destroy()
    counting.close()
  })

  it('that were closed in the moment of use cost no idempotent request: it is sent again', async () => {
    // Answers one request on each connection, and resets it when a second one comes: what a crossing FIN looks like.
    let resets = 0
    const app = createServer((socket) => {
      let requests = 0
      socket.on('error', () => {})
      socket.on('data', () => {
        if (requests++ === 0) return void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        resets++
        socket.resetAndDestroy()
      })
    })
    await using pair = await startPair({ app, plaintext: true })

    for (let n = 0; n < 5; n++) assert.equal((await call(pair.inbound.port)).body, 'ok')
    assert.equal(resets, 4)
    const post = await call(pair.inbound.port, { method: 'POST', body: 'x' })
    assert.equal(post.status, 502)
  })

  it('that break before an answer cost no idempotent request, and others are not repeated', async () => {
    await using pair = await startPair()
    const {
      certificateChainPem: cert,
      privateKeyPem: key,
      trustBundlePem: ca,
    } = pair.serverIdentity.current()
    const methods: string[] = []
    const peer = createTlsServer({ cert, key, ca, requestCert: true }, (socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk: Buffer) => {
        methods.push(chunk.toString().split(' ')[0] ?? '')
        if (methods.length % 2 === 1) socket.destroy()
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
      })
    }).listen(0, '127.0.0.1')
    await once(peer, 'listening')
    pair.outboundSnapshots.change({ services: [serviceOf([{ ...pair.endpoint, port: portOf(peer) }])] })

    assert.equal((await call(pair.outbound.port, { method: 'PUT', body: 'x' })).status, 200)
    const { status, problem } = await call(pair.outbound.port, { method: 'POST', body: 'x' })

    assert.deepEqual([status, problem.code], [502, 'WEFT3004'])
    assert.deepEqual(methods, ['PUT', 'PUT', 'POST'])
    peer.close()
  })
})
