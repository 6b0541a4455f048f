import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import { ConnectionError, FLAG, FRAME, PREFACE } from './protocol.ts'
import { block, frame, headers, number32, requestFields, SETTINGS, START } from './raw-frames.test-support.ts'

/** All that a reader says, DATA put together: it may come in pieces. */
function read(pieces: readonly Buffer[]): string[] {
  const events: string[] = []
  let body = ''
  const say = (event: string): void => {
    if (body !== '') events.push(`body ${body}`)
    body = ''
    events.push(event)
  }
  const sink: FrameSink = {
    onData(streamId, { buffer, from, to, isEnd }) {
      body += buffer.toString('latin1', from, to)
      if (isEnd) say(`end ${streamId}`)
    },
    onHeaders: (streamId, { buffer, from, to, isEnd }) =>
      say(`headers ${streamId} ${buffer.toString('hex', from, to)} ${isEnd}`),
    onReset: (streamId, errorCode) => say(`reset ${streamId} ${errorCode}`),
    onSetting: (id, value) => say(`setting ${id} ${value}`),
    onSettingsEnd: (isAnswer) => say(`settings ${isAnswer}`),
    onPing: (data, isAnswer) => say(`ping ${data.toString('latin1')} ${isAnswer}`),
    onGoAway: (streamId, errorCode) => say(`goaway ${streamId} ${errorCode}`),
    onWindowUpdate: (streamId, increment) => say(`window ${streamId} ${increment}`),
    onIdleFrame() {},
  }
  const reader = new FrameReader(sink, 'server')
  try {
    for (const piece of pieces) reader.feed(piece)
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error
    say(`error ${error.errorCode}`)
  }
  return events
}

const lastOf = (...frames: readonly Buffer[]): string | undefined => read([START, ...frames]).at(-1)

/** Something of everything. */
const SESSION = Buffer.concat([
  START,
  frame(FRAME.settings, 0, 0, Buffer.from('000300000064', 'hex')),
  headers(1, requestFields(), 0),
  frame(FRAME.data, 0, 1, 'hello '),
  frame(FRAME.data, FLAG.padded, 1, '\x03world\0\0\0'),
  frame(FRAME.data, FLAG.endStream, 1, '!'),
  frame(
    FRAME.headers,
    FLAG.padded | FLAG.priority,
    3,
    Buffer.concat([Buffer.from('02000000000f', 'hex'), Buffer.from('82', 'hex'), Buffer.alloc(2)]),
  ),
  frame(FRAME.continuation, 0, 3, Buffer.from('86', 'hex')),
  frame(FRAME.continuation, FLAG.endHeaders, 3, Buffer.from('84', 'hex')),
  frame(FRAME.ping, 0, 0, '12345678'),
  frame(FRAME.windowUpdate, 0, 0, number32(1000)),
  frame(0x42, 0xff, 5, 'unknown'),
  frame(FRAME.rstStream, 0, 3, number32(8)),
  frame(FRAME.goAway, 0, 0, number32(3, 0)),
])

describe('a reader of frames', () => {
  it('says the same however the bytes were split into reads', () => {
    const whole = read([SESSION])
    assert.deepEqual(whole.slice(-7), [
      'body hello world!',
      'end 1',
      'headers 3 828684 false',
      'ping 12345678 false',
      'window 0 1000',
      'reset 3 8',
      'goaway 3 0',
    ])
    fc.assert(
      fc.property(fc.array(fc.nat(SESSION.length), { maxLength: 40 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), SESSION.length]
        const pieces = places.slice(1).map((to, index) => SESSION.subarray(places[index], to))
        assert.deepEqual(read(pieces), whole)
      }),
    )
  })

  it('reads or refuses whatever a mutation makes of it, and does nothing else', () => {
    const mutation = fc.record({ at: fc.nat(SESSION.length - 1), byte: fc.nat(255) })
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations) => {
        const bytes = Buffer.from(SESSION)
        for (const { at, byte } of mutations) bytes[at] = byte
        read([bytes.subarray(0, 100), bytes.subarray(100)])
      }),
      { numRuns: 10_000 },
    )
  })

  for (const [what, code, ...frames] of [
    ['a frame that is too large', 6, frame(FRAME.data, 0, 1, Buffer.alloc(16_385))],
    ['SETTINGS on a stream', 1, frame(FRAME.settings, 0, 1)],
    ['SETTINGS of five bytes', 6, frame(FRAME.settings, 0, 0, '12345')],
    ['an acknowledgement with a payload', 6, frame(FRAME.settings, FLAG.ack, 0, '123456')],
    ['PING of seven bytes', 6, frame(FRAME.ping, 0, 0, '1234567')],
    ['PING on a stream', 1, frame(FRAME.ping, 0, 1, '12345678')],
    ['RST_STREAM without its stream', 1, frame(FRAME.rstStream, 0, 0, number32(8))],
    ['RST_STREAM of three bytes', 6, frame(FRAME.rstStream, 0, 1, '123')],
    ['GOAWAY of four bytes', 6, frame(FRAME.goAway, 0, 0, number32(1))],
    ['DATA without its stream', 1, frame(FRAME.data, 0, 0, 'x')],
    ['more padding than payload', 1, frame(FRAME.data, FLAG.padded, 1, '\x05abc')],
    ['padding of an empty frame', 1, frame(FRAME.data, FLAG.padded, 1)],
    ['HEADERS shorter than its priority', 6, frame(FRAME.headers, FLAG.priority | FLAG.endHeaders, 1, 'abc')],
    ['a stream that depends on itself', 1, frame(FRAME.priority, 0, 3, Buffer.from('000000030f', 'hex'))],
    ['PUSH_PROMISE of a client', 1, frame(FRAME.pushPromise, FLAG.endHeaders, 1, number32(2))],
    ['CONTINUATION out of nothing', 1, frame(FRAME.continuation, FLAG.endHeaders, 1)],
    ['another frame within a header block', 1, frame(FRAME.headers, 0, 1, block(requestFields())), SETTINGS],
    [
      'a header block without end',
      11,
      frame(FRAME.headers, 0, 1),
      ...Array<Buffer>(9).fill(frame(FRAME.continuation, 0, 1)),
    ],
    [
      'a header block that is too long',
      11,
      frame(FRAME.headers, 0, 1, Buffer.alloc(16_384)),
      ...Array<Buffer>(4).fill(frame(FRAME.continuation, 0, 1, Buffer.alloc(16_384))),
    ],
  ] as const)
    it(`refuses ${what} with code ${code}`, () =>
      assert.equal(lastOf(...(frames as Buffer[])), `error ${code}`))

  it('wants the preface, and SETTINGS after it', () => {
    assert.deepEqual(read([Buffer.from('GET / HTTP/1.1\r\n')]), ['error 1'])
    assert.deepEqual(read([PREFACE, frame(FRAME.ping, 0, 0, '12345678')]), ['error 1'])
  })
})
