import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import fc from 'fast-check'
import { type FrameOptions, FrameSplitter } from './frames.ts'

const frameOf = (body: Uint8Array): Buffer => {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(body.length)
  frame.set(body, 4)
  return frame
}

function takeAll(splitter: FrameSplitter): Buffer[] {
  const frames: Buffer[] = []
  for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) frames.push(frame)
  return frames
}

const failsWith = (code: string, bytes: string, options: FrameOptions) => {
  const splitter = new FrameSplitter(options)
  splitter.push(Buffer.from(bytes, 'hex'))
  assert.throws(
    () => splitter.next(),
    (error) => error instanceof MeshError && error.code === code,
  )
}

test('frames come out whole and in order, however the stream is cut, and stay as they are', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map(frameOf))
        const splitter = new FrameSplitter()
        const frames: Buffer[] = []
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const length = cuts[turn % cuts.length] ?? 1
          splitter.push(Buffer.from(stream.subarray(at, at + length)))
          frames.push(...takeAll(splitter))
          at += length
        }
        assert.deepEqual(
          frames,
          bodies.map((body) => frameOf(body)),
        )
        assert.equal(splitter.buffered, 0)
      },
    ),
  )
})

test('a frame whose memory is held stays as it is until it is released, whatever else is read meanwhile', () => {
  const piece = fc.record({
    body: fc.uint8Array({ maxLength: 300 }),
    cut: fc.integer({ min: 1, max: 200 }),
    /** How many frames later it is released; undefined: nobody holds it, and it stays for ever. */
    heldFor: fc.option(fc.nat({ max: 5 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 20 }), { minLength: 1, maxLength: 4 }), (streams) => {
      const readers = streams.map((pieces) => ({
        pieces,
        splitter: new FrameSplitter(),
        bytes: Buffer.concat(pieces.map(({ body }) => frameOf(body))),
        at: 0,
        turn: 0,
        seen: 0,
      }))
      const kept: { frame: Buffer; expected: Buffer; left: number; release: () => void }[] = []
      const check = (): void => {
        for (const each of kept) assert.ok(each.frame.equals(each.expected))
        for (const each of kept.splice(0)) {
          if (each.left-- > 0) kept.push(each)
          else each.release()
        }
      }
      while (readers.some(({ at, bytes }) => at < bytes.length))
        for (const reader of readers) {
          const { pieces, splitter, bytes } = reader
          if (reader.at >= bytes.length) continue
          const end = reader.at + (pieces[reader.turn++ % pieces.length]?.cut ?? 1)
          splitter.push(Buffer.from(bytes.subarray(reader.at, end)))
          reader.at = end
          for (let frame = splitter.next(); frame !== undefined; frame = splitter.next()) {
            const { body, heldFor } = pieces[reader.seen++] ?? { body: new Uint8Array(), heldFor: 0 }
            const memory = heldFor === undefined ? undefined : splitter.takeMemory()
            kept.push({
              frame,
              expected: frameOf(body),
              left: heldFor ?? Number.POSITIVE_INFINITY,
              release: () => memory?.release(),
            })
          }
          check()
        }
      for (const { seen, pieces } of readers) assert.equal(seen, pieces.length)
    }),
  )
})

test('the memory of a frame is given once, and not when another is being read', () => {
  const splitter = new FrameSplitter()
  const frame = frameOf(Buffer.from('assembled'))
  const arrive = (): void => {
    splitter.push(frame.subarray(0, 6))
    assert.equal(splitter.next(), undefined)
    splitter.push(frame.subarray(6))
    assert.ok(splitter.next()?.equals(frame))
  }
  arrive()
  assert.ok(splitter.takeMemory() !== undefined)
  assert.equal(splitter.takeMemory(), undefined)
  arrive()
  splitter.push(frame)
  assert.equal(splitter.takeMemory(), undefined)
})

test('a frame within one chunk is a slice of it, not a copy', () => {
  const chunk = Buffer.concat([frameOf(Buffer.from('one')), frameOf(Buffer.from('two'))])
  const splitter = new FrameSplitter()
  splitter.push(chunk)
  assert.deepEqual(
    takeAll(splitter).map((frame) => [frame.buffer === chunk.buffer, frame.toString('latin1', 4)]),
    [
      [true, 'one'],
      [true, 'two'],
    ],
  )
})

test('a length prefix alone allocates next to nothing', () => {
  const before = process.memoryUsage().arrayBuffers
  const splitters = Array.from({ length: 100 }, () => {
    const splitter = new FrameSplitter()
    splitter.push(Buffer.from('0640000000', 'hex')) // announces 100 MiB
    splitter.next()
    splitter.push(Buffer.from('00', 'hex'))
    return splitter
  })
  assert.ok(splitters.every((splitter) => splitter.buffered === 6))
  assert.ok(process.memoryUsage().arrayBuffers - before < 100 * 128 * 1024)
})

// Copied anew with each piece it would be half a terabyte, and not end in time.
test('a large frame in small pieces is put together in linear time', { timeout: 30_000 }, () => {
  const body = Buffer.alloc(8 * 1024 * 1024, 7)
  const stream = frameOf(body)
  const splitter = new FrameSplitter()
  for (let at = 0; at < stream.length; at += 64) splitter.push(stream.subarray(at, at + 64))
  assert.equal(splitter.next()?.equals(stream), true)
})

test('lengths that are no lengths are refused before anything of the frame has arrived', () => {
  failsWith('invalid_request', 'ffffffff', {})
  failsWith('payload_too_large', '7fffffff', {})
  failsWith('payload_too_large', '00000401', { maxBytes: 1024 })
  failsWith('invalid_request', '00000003', { headBytes: 8 })
})

test('the head is judged once, as soon as it is there', () => {
  const heads: string[] = []
  const splitter = new FrameSplitter({ headBytes: 2, check: (head) => heads.push(head.toString('hex')) })
  for (const piece of ['000000', '04aa', 'bb', 'cc', 'dd']) {
    splitter.push(Buffer.from(piece, 'hex'))
    splitter.next()
  }
  assert.deepEqual(heads, ['aabb'])
})
