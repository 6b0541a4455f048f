import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerHttp2Stream } from 'node:http2'
import { describe, it } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { type Pair, startPair } from '../outbound/pair.test-support.ts'
import { answerOf, http2App, http2Client } from '../transport/http2/http2.test-support.ts'
import { grpcTimeoutMs } from './grpc-deadline.ts'
import { grpcStatusFields, grpcStatusOf } from './grpc-status.ts'

const CALL = { 'content-type': 'application/grpc', ':path': '/shop.Orders/Place', te: 'trailers' }

const appThat = (handle: (stream: ServerHttp2Stream) => void) =>
  http2App((stream) => {
    stream.on('error', () => {})
    stream.resume()
    handle(stream)
  })

async function countedStatuses(pair: Pair): Promise<unknown[]> {
  const { values } = await pair.metrics.counter('weft_grpc_calls_total').get()
  return values.map(({ labels }) => [labels.direction, labels.grpc_status])
}

describe('a gRPC call', () => {
  it('that the sidecar refuses is answered with its status alone', async () => {
    await using pair = await startPair({ snapshot: { defaultAction: 'deny' } })
    await using client = http2Client(pair.outbound.port)

    const { headers, trailers, body } = await client.call(CALL, 'message')

    assert.deepEqual([headers[':status'], headers['grpc-status'], body.length], [200, '7', 0])
    assert.match(String(headers['grpc-message']), /^WEFT2003 /)
    assert.deepEqual(trailers, {})
    assert.deepEqual(await countedStatuses(pair), [
      ['inbound', '7'],
      ['outbound', '7'],
    ])
  })

  it('to a host that nobody has is UNAVAILABLE', async () => {
    await using pair = await startPair()
    await using client = http2Client(pair.outbound.port)

    const { headers } = await client.call({ ...CALL, ':authority': 'nobody' }, 'message')

    assert.equal(headers['grpc-status'], '14')
  })

  it('carries the trailers of its app, and goes over HTTP/2 whatever the Service says', async () => {
    const app = appThat((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '5', 'grpc-message': 'no order' }))
      stream.end('message')
    })
    await using pair = await startPair({ app })
    await using client = http2Client(pair.outbound.port)

    const { trailers, body } = await client.call(CALL, 'message')

    assert.deepEqual(
      [trailers['grpc-status'], trailers['grpc-message'], body.toString()],
      ['5', 'no order', 'message'],
    )
    assert.deepEqual(await countedStatuses(pair), [
      ['inbound', '5'],
      ['outbound', '5'],
    ])
  })

  it('ends with DEADLINE_EXCEEDED when its own timeout is over, and the app is told', async () => {
    const told = Promise.withResolvers<number>()
    const app = appThat((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write('some')
      stream.on('close', () => told.resolve(stream.rstCode ?? 0))
    })
    await using pair = await startPair({ app })
    await using client = http2Client(pair.outbound.port)

    const { headers, trailers } = await client.call({ ...CALL, 'grpc-timeout': '300m' }, 'message')

    assert.equal(trailers['grpc-status'] ?? headers['grpc-status'], '4')
    assert.equal(await told.promise, 8)
  })

  it('that breaks in the middle ends with a status, not with half an answer', async () => {
    const app = appThat((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' })
      stream.write('some', () => stream.destroy(new Error('the app breaks')))
    })
    await using pair = await startPair({ app })
    await using client = http2Client(pair.outbound.port)

    assert.equal((await client.call(CALL, 'message')).trailers['grpc-status'], '14')
  })

  it('streams both ways at once', async () => {
    const app = appThat((stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      stream.on('data', (chunk: Buffer) => stream.write(chunk))
      stream.on('end', () => stream.end())
    })
    await using pair = await startPair({ app })
    await using client = http2Client(pair.outbound.port)
    const stream = client.open({ ':method': 'POST', ...CALL })
    for (const message of ['one', 'two', 'three']) {
      stream.write(message)
      const [echo] = (await once(stream, 'data')) as [Buffer]
      assert.equal(echo.toString(), message)
    }
    stream.end()

    assert.equal((await answerOf(stream)).trailers['grpc-status'], '0')
  })
})

describe('the fields of gRPC', () => {
  it('are read: status and timeout', () => {
    assert.equal(grpcStatusOf(['grpc-status', '3'], ['grpc-status', '0']), 0)
    assert.equal(grpcStatusOf(['grpc-status', '3'], undefined), 3)
    assert.equal(grpcStatusOf(['grpc-status', 'x'], undefined), 2)
    assert.equal(grpcStatusOf([], undefined), undefined)
    const units = ['2H', '2M', '2S', '2m', '2u', '2n'].map((text) => grpcTimeoutMs(['grpc-timeout', text]))
    assert.deepEqual(units, [7_200_000, 120_000, 2000, 2, 0.002, 0.000002])
    assert.equal(grpcTimeoutMs(['grpc-timeout', '99999999H']), undefined)
    for (const text of ['', '1', '-1S', '123456789S', '1s'])
      assert.throws(() => grpcTimeoutMs(['grpc-timeout', text]), { code: 'invalid_request' })
  })

  it('are written: what is not printable ASCII is percent-encoded', () => {
    const [, , , message] = grpcStatusFields(new MeshError('internal', '100 % ä\n'))

    assert.equal(message, 'WEFT9001 100 %25 %C3%A4%0A')
  })
})
