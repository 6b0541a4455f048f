import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { call } from './calling.test-support.ts'
import { bodyOf, exchange, startPair } from './pair.test-support.ts'

const MIB = 1024 * 1024

describe('bodies from outbound through inbound to the app', () => {
  it('stream both ways: each piece arrives before the next is sent', async () => {
    await using pair = await startPair({ app: (sent, answer) => sent.pipe(answer) })
    const sent = request({ port: pair.outbound.port, method: 'POST', headers: { host: 'server' } })
    sent.write('piece 0')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]

    for (let piece = 0; piece < 5; piece++) {
      const [chunk] = (await once(answer, 'data')) as [Buffer]
      assert.equal(chunk.toString(), `piece ${piece}`)
      if (piece < 4) sent.write(`piece ${piece + 1}`)
    }
    sent.end()
    await once(answer, 'end')
  })

  it('of 50 MiB to a slow reader never pile up in the sidecars', async () => {
    const collect = collector()
    await using pair = await startPair({
      app(_, answer) {
        let left = 50
        const piece = Buffer.alloc(MIB, 'x')
        const write = (): void => {
          while (left-- > 0) if (!answer.write(piece)) return void answer.once('drain', write)
          answer.end()
        }
        write()
      },
    })
    const sent = request({ port: pair.outbound.port, headers: { host: 'server' } }).end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    collect()
    const before = process.memoryUsage().arrayBuffers

    let received = 0
    let most = 0
    for await (const chunk of answer) {
      const before5 = Math.floor(received / (5 * MIB))
      received += (chunk as Buffer).length
      await new Promise((resolve) => setImmediate(resolve))
      if (Math.floor(received / (5 * MIB)) === before5) continue
      collect()
      most = Math.max(most, process.memoryUsage().arrayBuffers - before)
    }

    assert.equal(received, 50 * MIB)
    assert.ok(most < 2 * MIB, `${most} bytes were buffered`)
  })

  it('of 50 MiB to an app that does not read stop the caller', async () => {
    let release = (): void => {}
    await using pair = await startPair({
      app(sent, answer) {
        release = () => void sent.resume().on('end', () => answer.end('read'))
      },
    })
    const collect = collector()
    const before = process.memoryUsage().arrayBuffers
    const sent = request({
      port: pair.outbound.port,
      method: 'PUT',
      headers: { host: 'server', 'content-length': 50 * MIB },
    })
    const piece = Buffer.alloc(MIB)
    let pieces = 0
    // The kernel's buffers on four hops take some MiB; when they are full the caller's own write waits.
    while (sent.write(piece) || (await drainOrStall(sent))) pieces++
    collect()
    const held = process.memoryUsage().arrayBuffers - before
    assert.ok(pieces < 45, `the app reads nothing, but ${pieces} MiB were taken`)
    assert.ok(held < 4 * MIB, `${held} bytes were buffered`)

    release()
    for (let left = 50 - pieces - 1; left > 0; left--) sent.write(piece)
    sent.end()
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    assert.equal(await bodyOf(answer), 'read')
  })

  it('are not there for HEAD, 204 and 304, and the connection goes on', async () => {
    await using pair = await startPair({
      app(sent, answer) {
        if (sent.url === '/204') answer.writeHead(204).end()
        else if (sent.url === '/304') answer.writeHead(304, { etag: '"x"' }).end()
        else answer.writeHead(200, { 'content-length': 5 }).end(sent.method === 'HEAD' ? undefined : 'hello')
      },
    })
    const lines = ['HEAD /', 'GET /204', 'GET /304', 'GET /last']

    const received = await exchange(
      pair.outbound.port,
      lines.map((line) => `${line} HTTP/1.1\r\nHost: server\r\n\r\n`),
      (text) => text.endsWith('hello'),
    )

    const heads = received.split('HTTP/1.1 ').slice(1)
    assert.deepEqual(
      heads.map((head) => head.slice(0, 3)),
      ['200', '204', '304', '200'],
    )
    assert.match(heads[0] ?? '', /content-length: 5\r\n\r\n$/)
    assert.doesNotMatch(heads[1] ?? '', /content-length|transfer-encoding/)
  })

  it('pipelined are answered in order', async () => {
    const paths: string[] = []
    await using pair = await startPair({
      app(sent, answer) {
        paths.push(sent.url ?? '')
        // The first one is the slowest: whoever answers as it comes would answer it last.
        void bodyOf(sent).then((body) => setImmediate(() => answer.end(`${sent.url} ${body};`)))
      },
    })
    const posts = [1, 2, 3].map(
      (n) => `POST /${n} HTTP/1.1\r\nHost: server\r\nContent-Length: 2\r\n\r\n${n}${n}`,
    )

    const received = await exchange(pair.outbound.port, posts.join(''), (text) => text.includes('/3 33;'))

    assert.deepEqual(received.match(/\/\d \d\d;/g), ['/1 11;', '/2 22;', '/3 33;'])
    assert.deepEqual(paths, ['/1', '/2', '/3'])
  })

  it('a thousand pipelined in one write, refused by policy at once, are all answered', async () => {
    await using pair = await startPair({ snapshot: { defaultAction: 'deny' } })
    const requests = 'GET / HTTP/1.1\r\nHost: server\r\n\r\n'.repeat(1000)
    const count = (text: string): number => text.split('HTTP/1.1 403').length - 1

    const received = await exchange(
      pair.outbound.port,
      requests,
      (text) => count(text) === 1000 && text.endsWith('}'),
    )

    assert.equal(count(received), 1000)
  })

  it('carry trailers both ways', async () => {
    await using pair = await startPair({
      app(sent, answer) {
        sent.resume().on('end', () => {
          answer.writeHead(200, { trailer: 'x-sum' })
          answer.write('a')
          answer.addTrailers({ 'x-sum': sent.trailers['x-sum'] ?? 'none' })
          answer.end()
        })
      },
    })

    const received = await exchange(
      pair.outbound.port,
      'POST / HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n',
    )

    assert.match(received, /\r\n0\r\nx-sum: 7\r\n\r\n$/)
  })

  it('wait for 100 Continue where the caller asked for it', async () => {
    await using pair = await startPair({
      app: (sent, answer) => void bodyOf(sent).then((body) => answer.end(`got ${body}`)),
    })
    const sent = request({
      port: pair.outbound.port,
      method: 'POST',
      headers: { host: 'server', expect: '100-continue', 'content-length': 4 },
    })
    sent.flushHeaders()

    await once(sent, 'continue')
    sent.end('body')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]

    assert.equal(await bodyOf(answer), 'got body')
  })

  it('come after early hints', async () => {
    await using pair = await startPair({
      app(_, answer) {
        answer.writeEarlyHints({ link: '</style.css>; rel=preload' })
        answer.end('done')
      },
    })

    const received = await exchange(
      pair.outbound.port,
      'GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n',
    )

    assert.match(
      received,
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK/i,
    )
  })

  it('of unknown length end with the connection for HTTP/1.0', async () => {
    await using pair = await startPair({
      app(_, answer) {
        answer.write('a')
        answer.end('b')
      },
    })

    const received = await exchange(pair.outbound.port, 'GET / HTTP/1.0\r\nHost: server\r\n\r\n')

    assert.match(received, /connection: close\r\n\r\nab$/)
    assert.doesNotMatch(received, /transfer-encoding/)
  })

  it('without a length from an app that closes are whole', async () => {
    const app = createServer((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nall of it')),
    )
    await using pair = await startPair({ app })

    assert.equal((await call(pair.outbound.port)).body, 'all of it')
  })

  it('that the app cuts short are cut short for the caller, never closed as if whole', async () => {
    const app = createServer((socket) =>
      socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome')),
    )
    await using pair = await startPair({ app })

    await assert.rejects(call(pair.outbound.port), { code: 'ECONNRESET' })
  })

  it('that the app does not wait for do not hold up its answer', async () => {
    await using pair = await startPair({
      app: (_: IncomingMessage, answer: ServerResponse) =>
        answer.writeHead(413, { connection: 'close' }).end('too much'),
    })

    const received = await exchange(
      pair.outbound.port,
      ['POST / HTTP/1.1\r\nHost: server\r\nContent-Length: 1000000\r\n\r\n', 'x'.repeat(1000)],
      (text) => text.includes('too much'),
    )

    assert.match(received, /^HTTP\/1\.1 413/)
  })
})

/** Several times: the memory of a dead buffer is given back by a sweeper of its own, one collection later. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  return () => {
    for (let time = 0; time < 3; time++) collect()
  }
}

/** False when nothing moves any more: a hundred turns of the loop, in which every hop could have taken what it can. */
async function drainOrStall(sent: { once(event: 'drain', listener: () => void): unknown }): Promise<boolean> {
  let isDrained = false
  sent.once('drain', () => {
    isDrained = true
  })
  for (let turn = 0; turn < 2000 && !isDrained; turn++) await new Promise((resolve) => setImmediate(resolve))
  return isDrained
}
