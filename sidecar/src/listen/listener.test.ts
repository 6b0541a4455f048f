import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { call } from '../outbound/calling.test-support.ts'
import { exchange, startPair } from '../outbound/pair.test-support.ts'
import { DEFAULT_LIMITS } from '../transport/http1/limits.ts'

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

describe('a listener', () => {
  it('answers 408 to a head that trickles in, however steadily', async () => {
    await using pair = await startPair({ limits: { ...DEFAULT_LIMITS, headTimeoutMs: 300 } })
    const socket = await opened(pair.outbound.port)
    socket.setEncoding('latin1')
    const trickle = setInterval(() => socket.write('x'), 20)
    socket.write('GET / HTTP/1.1\r\nX: ')

    const [text] = (await once(socket, 'data')) as [string]
    clearInterval(trickle)

    assert.match(text, /^HTTP\/1\.1 408 .*connection: close/s)
    await once(socket.end(), 'close')
  })

  it('answers 408 to a body that stops', async () => {
    let isForwarded = false
    await using pair = await startPair({
      limits: { ...DEFAULT_LIMITS, idleTimeoutMs: 200 },
      app: () => {
        isForwarded = true
      },
    })

    const received = await exchange(
      pair.outbound.port,
      'POST / HTTP/1.1\r\nHost: server\r\nContent-Length: 5\r\n\r\nab',
    )

    assert.match(received, /^HTTP\/1\.1 408/)
    assert.ok(isForwarded)
  })

  it('ends connections that stay idle', async () => {
    await using pair = await startPair({ limits: { ...DEFAULT_LIMITS, idleTimeoutMs: 150 } })

    const fresh = await exchange(pair.outbound.port, '')
    const used = await exchange(pair.outbound.port, 'GET / HTTP/1.1\r\nHost: server\r\n\r\n')

    assert.equal(fresh, '')
    assert.match(used, /^HTTP\/1\.1 200/)
  })

  it('does no more for a caller that reads no answers than its socket takes', async () => {
    await using pair = await startPair({ snapshot: { defaultAction: 'deny' }, plaintext: true })
    const answered = async (): Promise<number> => {
      const { values } = await pair.metrics.counter('weft_http_requests_total').get()
      return values.reduce((sum, { value }) => sum + value, 0)
    }
    const total = 60_000
    const socket = await opened(pair.inbound.port)
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: server\r\n\r\n'.repeat(total))

    // Until a thousand turns of the loop bring no more: everything is as full as it gets.
    for (let still = 0, last = 0; still < 1000; still++) {
      await new Promise((resolve) => setImmediate(resolve))
      const now = await answered()
      if (now !== last) still = 0
      last = now
    }
    assert.ok((await answered()) < total / 2)

    let seen = 0
    let tail = ''
    socket.setEncoding('latin1')
    for await (const text of socket) {
      const parts = `${tail}${text as string}`.split('HTTP/1.1 403')
      seen += parts.length - 1
      tail = (parts.at(-1) ?? '').slice(-11)
      if (seen === total) break
    }
    assert.equal(await answered(), total)
  })

  it('rejects a port that is taken', async () => {
    await using pair = await startPair()
    const { listen } = await import('./index.ts')

    await assert.rejects(listen({ host: '127.0.0.1', port: pair.outbound.port, accept: () => undefined }), {
      code: 'EADDRINUSE',
    })
  })

  it('that drains ends idle connections at once, busy ones after their answer, and takes no new ones', async () => {
    const waiting: ServerResponse[] = []
    const arrived = Promise.withResolvers<void>()
    await using pair = await startPair({
      app(_, answer) {
        waiting.push(answer)
        arrived.resolve()
      },
    })
    const idle = await opened(pair.outbound.port)
    const agent = new Agent({ keepAlive: true })
    const busy = call(pair.outbound.port, { agent })
    await arrived.promise

    const drained = pair.outbound.drain(60_000)
    idle.resume()
    await once(idle, 'close')
    await assert.rejects(call(pair.outbound.port), { code: 'ECONNREFUSED' })
    waiting[0]?.end('in peace')

    const answer = await busy
    assert.deepEqual([answer.body, answer.headers.connection], ['in peace', 'close'])
    await drained
  })

  it('that drains closes everything at the deadline', async () => {
    const arrived = Promise.withResolvers<void>()
    await using pair = await startPair({ app: () => arrived.resolve() })
    const stuck = call(pair.outbound.port)
    await arrived.promise

    const lost = assert.rejects(stuck, { code: 'ECONNRESET' })
    await pair.outbound.drain(20)

    await lost
  })

  it('that drains under load loses no request that it took', async () => {
    await using pair = await startPair({
      app: (sent, answer) => void sent.resume().on('end', () => setImmediate(() => answer.end('done'))),
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    let isStopped = false
    let answered = 0
    const failures: unknown[] = []
    const half = Promise.withResolvers<void>()
    const loop = async (): Promise<void> => {
      while (!isStopped) {
        try {
          const { body } = await call(pair.outbound.port, { agent, method: 'POST', body: 'x'.repeat(1000) })
          assert.equal(body, 'done')
          if (++answered === 200) half.resolve()
        } catch (error) {
          // Refused connections are not taken: the caller knows that nothing was done.
          if ((error as { code?: string }).code !== 'ECONNREFUSED') failures.push(error)
          return
        }
      }
    }
    const loops = Array.from({ length: 16 }, loop)
    await half.promise

    await pair.outbound.drain(10_000)
    isStopped = true
    await Promise.all(loops)

    assert.deepEqual(failures, [])
    assert.ok(answered >= 200)
  })
})
