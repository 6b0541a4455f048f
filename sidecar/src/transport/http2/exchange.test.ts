import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { call } from '../../outbound/calling.test-support.ts'
import { bodyOf, HTTP2_APP, startPair } from '../../outbound/pair.test-support.ts'
import { answerOf, http2App, http2Client } from './http2.test-support.ts'

const MEBIBYTE = 1024 * 1024
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

describe('HTTP/2 from a caller to an app of HTTP/1.1', () => {
  it('carries head, body and answer', async () => {
    await using pair = await startPair({
      async app(sent, answer) {
        const body = await bodyOf(sent)
        answer.setHeader(
          'x-seen',
          `${sent.method} ${sent.url} ${sent.headers.host} ${String(sent.headers['x-own'])}`,
        )
        answer.end(body.toUpperCase())
      },
    })
    await using client = http2Client(pair.outbound.port)

    const { headers, body } = await client.call({ ':path': '/orders?a=b', 'x-own': 'ä' }, 'hello')

    assert.equal(headers[':status'], 200)
    assert.equal(headers['x-seen'], 'POST /orders?a=b server Ã¤')
    assert.equal(body.toString(), 'HELLO')
  })

  it('carries many requests at once on one connection between the sidecars', async () => {
    await using pair = await startPair({ app: (sent, answer) => answer.end(sent.url) })
    await using client = http2Client(pair.outbound.port)

    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, at) => client.call({ ':path': `/${at}` })),
    )

    assert.deepEqual(
      answers.map(({ body }) => body.toString()),
      Array.from({ length: 200 }, (_, at) => `/${at}`),
    )
  })

  it('puts cookie crumbs together, and takes Host where there is no :authority', async () => {
    await using pair = await startPair({ app: (sent, answer) => answer.end(sent.headers.cookie) })
    await using client = http2Client(pair.outbound.port)
    const stream = client.session.request({ host: 'server', cookie: ['a=1', 'b=2'] })

    assert.equal((await answerOf(stream)).body.toString(), 'a=1; b=2')
  })

  it('hands on trailers both ways, and interim answers', async () => {
    await using pair = await startPair({
      app(sent, answer) {
        answer.writeEarlyHints({ link: '</style.css>; rel=preload' })
        sent.resume().on('end', () => {
          answer.writeHead(200, { trailer: 'x-sum' })
          answer.write('body')
          answer.addTrailers({ 'x-sum': String(sent.trailers['x-request-sum']) })
          answer.end()
        })
      },
    })
    await using client = http2Client(pair.outbound.port)
    const stream = client.session.request(
      { ':authority': 'server', ':method': 'POST' },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-request-sum': '7' }))
    const hinted = once(stream, 'headers')
    stream.end('body')

    const { body, trailers } = await answerOf(stream)
    const [hints] = (await hinted) as [{ ':status': number }]

    assert.deepEqual([body.toString(), trailers['x-sum'], hints[':status']], ['body', '7', 103])
  })

  it('answers HEAD, 204 and 304 without a body', async () => {
    await using pair = await startPair({
      app(sent, answer) {
        answer.statusCode = Number(sent.url?.slice(1))
        answer.end(sent.method === 'HEAD' ? 'not sent' : undefined)
      },
    })
    await using client = http2Client(pair.outbound.port)

    const head = await client.call({ ':method': 'HEAD', ':path': '/200' })
    const statuses = await Promise.all(['/204', '/304'].map((path) => client.call({ ':path': path })))

    assert.deepEqual([head.headers[':status'], head.body.length], [200, 0])
    assert.deepEqual(
      statuses.map(({ headers, body }) => [headers[':status'], body.length]),
      [
        [204, 0],
        [304, 0],
      ],
    )
  })
})

describe('HTTP/2 to an app of HTTP/2', () => {
  it('carries large bodies both ways, byte for byte', async () => {
    const sent = Buffer.alloc(5 * MEBIBYTE, 'weft in five mebibytes')
    const app = http2App((stream) => {
      stream.respond({ ':status': 200 })
      stream.pipe(stream)
    })
    await using pair = await startPair({ app, snapshot: HTTP2_APP })
    await using client = http2Client(pair.outbound.port)

    const answers = await Promise.all([
      client.call({}, sent),
      client.call({}, sent),
      client.call({}, 'short'),
    ])

    assert.deepEqual(
      answers.map(({ body }) => digest(body)),
      [digest(sent), digest(sent), digest(Buffer.from('short'))],
    )
  })

  it('takes requests of HTTP/1.1 there', async () => {
    const app = http2App((stream, headers) => {
      stream.respond({ ':status': 200, 'x-path': headers[':path'] })
      stream.end('over two')
    })
    await using pair = await startPair({ app, snapshot: HTTP2_APP })

    const { status, headers, body } = await call(pair.outbound.port, { path: '/one' })

    assert.deepEqual([status, headers['x-path'], body], [200, '/one', 'over two'])
  })

  it('holds back an app whose caller does not read, and goes on when it does', async () => {
    const total = 20 * MEBIBYTE
    let written = 0
    const app = http2App((stream) => {
      stream.resume() // else Node resets the stream as soon as it has taken the last piece, before it has sent it
      stream.respond({ ':status': 200 })
      const piece = Buffer.alloc(64 * 1024)
      const write = (): void => {
        while (written < total) {
          written += piece.length
          if (!stream.write(piece)) return void stream.once('drain', write)
        }
        stream.end()
      }
      write()
    })
    await using pair = await startPair({ app, snapshot: HTTP2_APP })
    await using client = http2Client(pair.outbound.port)
    const stream = client.open({}, true)
    stream.pause()
    await once(stream, 'response')
    for (let still = 0, last = -1; still < 500; still++) {
      await new Promise((resolve) => setImmediate(resolve))
      if (written !== last) still = 0
      last = written
    }

    assert.ok(written < 8 * MEBIBYTE, `${written} bytes were taken for a caller that reads none`)
    stream.resume()
    const { body, rstCode } = await answerOf(stream)
    assert.deepEqual([body.length, rstCode], [total, 0])
  })

  it('passes a cancelled request on, and an app that gives up', async () => {
    const cancelled = Promise.withResolvers<number>()
    const app = http2App((stream, headers) => {
      stream.on('error', () => {})
      stream.on('close', () => cancelled.resolve(stream.rstCode ?? 0))
      if (headers[':path'] === '/reset') {
        stream.respond({ ':status': 200 })
        stream.write('some', () => stream.destroy(new Error('the app gives up')))
      } else stream.respond({ ':status': 200 })
    })
    await using pair = await startPair({ app, snapshot: HTTP2_APP })
    await using client = http2Client(pair.outbound.port)
    const stream = client.open({}, true)
    await once(stream, 'response')
    stream.close(8)
    const reset = await client.call({ ':path': '/reset' })

    assert.equal(await cancelled.promise, 8)
    assert.equal(reset.rstCode, 2)
  })
})
