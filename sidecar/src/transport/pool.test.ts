import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { describe, it } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { headOf } from '../outbound/request-head.test-support.ts'
import type { Progress, RequestHandler, ResponseHead, Service } from './exchange.ts'
import { Pool, type PoolBudget } from './pool.ts'

interface Called {
  readonly handler: RequestHandler
  /** Status of the answer, or code and progress of the failure. */
  readonly ended: Promise<string>
}

function send(service: Service, method = 'GET'): Called {
  const ended = Promise.withResolvers<string>()
  let status = 0
  const handler = service.call(headOf({ method }), {
    onInterim() {},
    onHead(head: ResponseHead) {
      status = head.status
    },
    onData() {},
    onEnd: () => ended.resolve(String(status)),
    onFail: (error: MeshError, progress: Progress) => ended.resolve(`${error.code} ${progress}`),
    onPause() {},
    onResume() {},
  })
  handler.end(undefined)
  return { handler, ended: ended.promise }
}

async function poolTo(
  server: Server | Http2Server,
  protocol: 'http1' | 'http2',
  limits: Partial<PoolBudget> = {},
): Promise<{ pool: Pool; sockets: () => number } & AsyncDisposable> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  let sockets = 0
  const pool = new Pool({
    name: 'the server',
    protocol,
    budget: {
      maxConnections: 10,
      maxWaiting: 10,
      connectTimeoutMs: 30_000,
      connections: 0,
      waiting: 0,
      ...limits,
    },
    idleTimeoutMs: 60_000,
    dial(ready, failed) {
      sockets++
      const socket = connect(port, '127.0.0.1')
      socket.once('error', (cause) => failed(new MeshError('connect_failed', cause.message)))
      socket.once('connect', () => ready(socket))
      return socket
    },
  })
  return {
    pool,
    sockets: () => sockets,
    async [Symbol.asyncDispose]() {
      await pool.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('a pool of HTTP/1.1', () => {
  it('refuses who finds neither a connection nor a place to wait for one', async () => {
    const answers: ServerResponse[] = []
    const arrived = Promise.withResolvers<void>()
    const server = createServer((_, answer) => {
      if (answers.push(answer) === 1) arrived.resolve()
      else answer.end()
    })
    await using made = await poolTo(server, 'http1', { maxConnections: 1, maxWaiting: 1 })
    const first = send(made.pool)
    await arrived.promise
    const second = send(made.pool)

    assert.throws(() => send(made.pool), { code: 'overloaded' })
    answers[0]?.end()
    assert.deepEqual(await Promise.all([first.ended, second.ended]), ['200', '200'])
  })
})

describe('a pool of HTTP/2', () => {
  const streams = (handle: (stream: ServerHttp2Stream) => void, maxConcurrentStreams = 100): Http2Server => {
    const server = createHttp2Server({ settings: { maxConcurrentStreams } })
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.resume()
      handle(stream)
    })
    server.on('sessionError', () => {})
    return server
  }
  const answer = (stream: ServerHttp2Stream): void => stream.respond({ ':status': 200 }, { endStream: true })

  it('dials once for many, and again when the streams of a connection are used up', async () => {
    const waiting: ServerHttp2Stream[] = []
    const four = Promise.withResolvers<void>()
    const server = streams((stream) => {
      if (waiting.push(stream) === 4) four.resolve()
    }, 2)
    await using made = await poolTo(server, 'http2')
    const warm = send(made.pool)
    const also = send(made.pool)
    await once(server, 'stream')
    assert.equal(made.sockets(), 1)

    const more = [send(made.pool), send(made.pool)]
    await four.promise
    for (const stream of waiting) answer(stream)

    assert.deepEqual(await Promise.all([warm, also, ...more].map(({ ended }) => ended)), Array(4).fill('200'))
    assert.equal(made.sockets(), 2)
  })

  it('sends what a GOAWAY left out to another connection, and lets the rest end', async () => {
    let seen = 0
    const arrived = Promise.withResolvers<ServerHttp2Stream>()
    const server = streams((stream) => {
      seen++
      if (seen === 1) arrived.resolve(stream)
      else if (seen === 2) stream.session?.goaway(constants.NGHTTP2_NO_ERROR, 1)
      else answer(stream)
    })
    await using made = await poolTo(server, 'http2')
    const first = send(made.pool)
    const held = await arrived.promise
    const second = send(made.pool, 'POST')

    assert.equal(await second.ended, '200')
    answer(held)
    assert.equal(await first.ended, '200')
    assert.equal(made.sockets(), 2)
  })

  it('repeats a refused stream once, and then says that nothing was processed', async () => {
    let seen = 0
    const server = streams((stream) => {
      seen++
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
    })
    await using made = await poolTo(server, 'http2')

    assert.equal(await send(made.pool, 'POST').ended, 'upstream_reset unsent')
    assert.equal(seen, 2)
  })

  it('spreads cancels over connections, so that no server takes them for an attack', async () => {
    const server = streams((stream) => stream.respond({ ':status': 200 }))
    await using made = await poolTo(server, 'http2')
    for (let round = 0; round < 300; round++) {
      const arrived = once(server, 'stream')
      const { handler, ended } = send(made.pool)
      await arrived
      handler.cancel(new MeshError('cancelled', 'by the test'))
      await ended
    }

    assert.equal(made.sockets(), 2)
  })

  it('fails what it carried when the connection breaks', async () => {
    const server = streams((stream) => stream.session?.destroy())
    await using made = await poolTo(server, 'http2')

    assert.equal(await send(made.pool, 'POST').ended, 'upstream_reset unanswered')
  })
})
