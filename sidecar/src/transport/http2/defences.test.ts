import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { call } from '../../outbound/calling.test-support.ts'
import { HTTP2_APP, type Pair, type PairOptions, startPair } from '../../outbound/pair.test-support.ts'
import { DEFAULT_LIMITS } from '../http1/limits.ts'
import { answerOf, http2App, http2Client } from './http2.test-support.ts'
import { ERROR_CODE, FLAG, FRAME } from './protocol.ts'
import {
  type FieldList,
  frame,
  headers,
  number32,
  RawConnection,
  requestFields,
  START,
} from './raw-frames.test-support.ts'

/** With a caller in plain text, so that the bytes are the test's own. */
const startIngress = (options: PairOptions = {}): Promise<Pair> => startPair({ plaintext: true, ...options })

const many = (count: number, part: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => part(index)))
/** Streams of a client have odd numbers. */
const streamId = (index: number): number => index * 2 + 1
const reset = (id: number): Buffer => frame(FRAME.rstStream, 0, id, number32(ERROR_CODE.cancel))
const rejected = async (pair: Pair): Promise<number> => {
  const { values } = await pair.metrics.counter('weft_http_rejected_total').get()
  return values.reduce((sum, { value }) => sum + value, 0)
}

describe('a flood', () => {
  for (const [what, flood] of [
    ['of PINGs', many(2000, () => frame(FRAME.ping, 0, 0, '12345678'))],
    ['of SETTINGS', many(2000, () => frame(FRAME.settings, 0, 0))],
    [
      'of resets',
      many(2000, (index) =>
        Buffer.concat([headers(streamId(index), requestFields()), reset(streamId(index))]),
      ),
    ],
    [
      'of resets of open requests',
      many(2000, (index) =>
        Buffer.concat([headers(streamId(index), requestFields([], 'POST'), 0), reset(streamId(index))]),
      ),
    ],
    ['of PRIORITY', many(2000, () => frame(FRAME.priority, 0, 7, Buffer.from('0000000110', 'hex')))],
    [
      'of empty DATA',
      Buffer.concat([headers(1, requestFields([], 'POST'), 0), many(2000, () => frame(FRAME.data, 0, 1))]),
    ],
    ['of unknown frames', many(2000, () => frame(0x42, 0, 0))],
    [
      'of malformed requests',
      many(2000, (index) => headers(streamId(index), requestFields([['connection', 'close']]))),
    ],
    [
      'of requests beyond the limit of streams',
      many(2000, (index) => headers(streamId(index), requestFields([], 'POST'), 0)),
    ],
  ] as const)
    it(`${what} ends the connection, is counted, and leaves the others alone`, async () => {
      await using pair = await startIngress()
      await using attacker = new RawConnection(pair.inbound.port)

      attacker.send(START, flood)

      assert.equal(await attacker.errorCode(FRAME.goAway), ERROR_CODE.enhanceYourCalm)
      await attacker.closed
      assert.ok((await rejected(pair)) > 0)
      assert.equal((await call(pair.inbound.port)).status, 200)
    })

  it('is not what a busy caller does who cancels some of its requests', async () => {
    await using pair = await startIngress()
    await using caller = new RawConnection(pair.inbound.port)
    caller.send(START)

    for (let index = 0; index < 600; index++) {
      caller.send(headers(streamId(2 * index), requestFields()), reset(streamId(2 * index)))
      caller.send(headers(streamId(2 * index + 1), requestFields()))
      await caller.first(FRAME.data, streamId(2 * index + 1))
    }

    assert.equal(
      caller.frames.some(({ type }) => type === FRAME.goAway),
      false,
    )
  })
})

describe('a header block', () => {
  it('that unfolds to more than the limit is answered 431, and the connection goes on', async () => {
    await using pair = await startIngress()
    await using caller = new RawConnection(pair.inbound.port)
    const bomb = Buffer.concat([
      headers(1, requestFields(), 0).subarray(9),
      Buffer.from('400161', 'hex'),
      Buffer.from([0x7f, 0xf1, 0x16]),
      Buffer.alloc(3056, 'b'),
      Buffer.alloc(8000, 0xbe),
    ])
    caller.send(START, frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, bomb))
    await caller.first(FRAME.data, 1)
    caller.send(headers(3, requestFields()))

    const [refused, answered] = [await caller.first(FRAME.headers, 1), await caller.first(FRAME.headers, 3)]
    assert.match(refused.payload.toString('latin1'), /431/)
    assert.equal(answered.payload[0], 0x88)
  })

  it('of more fields than the limit is answered 431', async () => {
    await using pair = await startIngress()
    await using caller = new RawConnection(pair.inbound.port)
    const extra: FieldList = Array.from({ length: 200 }, (_, index) => [`x-${index}`, '1'])
    caller.send(START, headers(1, requestFields(extra)))

    assert.match((await caller.first(FRAME.headers, 1)).payload.toString('latin1'), /431/)
  })

  it('for a stream that was reset is decoded still, for the sake of those after it', async () => {
    await using pair = await startIngress({ app() {} })
    await using caller = new RawConnection(pair.inbound.port)
    // The trailers of stream 1 put x-late into the table; stream 3 points to it there.
    const late = Buffer.concat([
      Buffer.from([0x40, 6]),
      Buffer.from('x-late'),
      Buffer.from([1]),
      Buffer.from('1'),
    ])
    const pointing = Buffer.concat([headers(3, requestFields()).subarray(9), Buffer.from([0xbe])])
    const short = headers(1, requestFields([['content-length', '2']], 'POST'), 0)
    caller.send(START, short, frame(FRAME.data, 0, 1, 'more than was announced'))
    assert.equal(await caller.errorCode(FRAME.rstStream, 1), ERROR_CODE.protocol)
    caller.send(
      frame(FRAME.data, 0, 1, 'late'),
      frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 1, late),
      frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, 3, pointing),
      frame(FRAME.ping, 0, 0, 'in order'),
    )

    assert.equal((await caller.first(FRAME.ping)).payload.toString(), 'in order')
    assert.equal(
      caller.frames.some(({ type }) => type === FRAME.goAway),
      false,
    )
  })
})

describe('a caller that does not read', () => {
  it('with a window of zero loses its stream after a while, and the app is told', async () => {
    const cancelled = Promise.withResolvers<void>()
    const app = http2App((stream) => {
      stream.on('error', () => {})
      stream.on('close', () => cancelled.resolve())
      stream.respond({ ':status': 200 })
      stream.write('held back')
    })
    await using pair = await startIngress({
      app,
      limits: { ...DEFAULT_LIMITS, idleTimeoutMs: 1500 },
      snapshot: HTTP2_APP,
    })
    await using caller = new RawConnection(pair.inbound.port)
    const noWindow = frame(FRAME.settings, 0, 0, Buffer.from('000400000000', 'hex'))
    caller.send(START, noWindow, headers(1, requestFields()))

    assert.equal(await caller.errorCode(FRAME.rstStream, 1), ERROR_CODE.cancel)
    await cancelled.promise
  })

  it('gets no more of a body than its window', async () => {
    await using pair = await startIngress({ app: (_, answer) => answer.end(Buffer.alloc(1000)) })
    await using caller = new RawConnection(pair.inbound.port)
    const window = frame(FRAME.settings, 0, 0, Buffer.from('000400000064', 'hex'))
    caller.send(START, window, headers(1, requestFields()))
    await caller.first(FRAME.data, 1)
    caller.send(frame(FRAME.windowUpdate, 0, 1, number32(50)))
    caller.send(frame(FRAME.ping, 0, 0, '12345678'))
    await caller.first(FRAME.ping)

    const sizes = caller.frames.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload.length)
    assert.deepEqual(sizes, [100, 50])
  })
})

describe('a listener of HTTP/2', () => {
  it('that drains takes what is under way, and ends when it is answered', async () => {
    const arrived = Promise.withResolvers<() => void>()
    await using pair = await startPair({ app: (_, answer) => arrived.resolve(() => answer.end('in peace')) })
    await using client = http2Client(pair.outbound.port)
    const answered = client.call()
    const finish = await arrived.promise

    const drained = pair.outbound.drain(30_000)
    finish()

    assert.equal((await answered).body.toString(), 'in peace')
    await drained
  })

  it('ends connections that stay idle with GOAWAY', async () => {
    await using pair = await startIngress({ limits: { ...DEFAULT_LIMITS, idleTimeoutMs: 100 } })
    await using caller = new RawConnection(pair.inbound.port)
    caller.send(START)

    assert.equal(await caller.errorCode(FRAME.goAway), ERROR_CODE.none)
    await caller.closed
  })

  it('answers HTTP/1.1 that offers to upgrade in HTTP/1.1', async () => {
    await using pair = await startPair()
    const headers = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQAAP__',
    }

    assert.equal((await call(pair.outbound.port, { headers })).status, 200)
  })

  it('answers 408 to a body that stops, but lets gRPC be silent', async () => {
    const app = http2App((stream) => void stream.on('error', () => {}))
    await using pair = await startPair({
      app,
      limits: { ...DEFAULT_LIMITS, idleTimeoutMs: 300 },
      snapshot: HTTP2_APP,
    })
    await using client = http2Client(pair.outbound.port)
    const silent = client.open({ ':method': 'POST', 'content-type': 'application/grpc' })
    silent.on('error', () => {})
    const stopped = await answerOf(client.open({ ':method': 'POST' }))

    assert.equal(stopped.headers[':status'], 408)
    assert.equal(silent.closed, false)
  })
})

describe('a session that is mutated at random', () => {
  const session = Buffer.concat([
    START,
    headers(1, requestFields([['content-length', '5']], 'POST'), 0),
    frame(FRAME.data, FLAG.endStream, 1, 'hello'),
    headers(3, requestFields([['cookie', 'a=b']])),
    frame(FRAME.windowUpdate, 0, 3, number32(100)),
    headers(5, requestFields([], 'POST'), 0),
    reset(5),
    frame(FRAME.ping, 0, 0, '12345678'),
  ])

  it('is answered or ended, and the listener goes on as if nothing had been', async () => {
    await using pair = await startIngress()
    const mutation = fc.record({ at: fc.integer({ min: 24, max: session.length - 1 }), byte: fc.nat(255) })
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
        const bytes = Buffer.from(session)
        for (const { at, byte } of mutations) bytes[at] = byte
        await using attacker = new RawConnection(pair.inbound.port)
        attacker.send(bytes)
        attacker.socket.end()
        await attacker.closed
      }),
      { numRuns: 300 },
    )

    assert.equal((await call(pair.inbound.port)).status, 200)
  })
})
