import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { FramedSocket } from './framed-socket.ts'
import { readAnswer } from './handshake.ts'

/** Both ends of one connection. */
async function ends() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const near = connect({
    port: typeof address === 'object' && address !== null ? address.port : 0,
    host: '127.0.0.1',
    allowHalfOpen: true,
  })
  const [far] = (await once(server, 'connection')) as [Socket]
  server.close()
  const destroy = (): void => {
    near.destroy()
    far.destroy()
  }
  return { near, far, [Symbol.dispose]: destroy }
}

const frame = (text: string): Buffer => {
  const bytes = Buffer.alloc(4 + text.length)
  bytes.writeUInt32BE(text.length)
  bytes.write(text, 4, 'latin1')
  return bytes
}

/** Cut at the end of its test, which is nobody's error. */
function framedOf(socket: Socket): FramedSocket {
  return new FramedSocket(socket).on('error', () => {})
}

async function everything(stream: AsyncIterable<unknown>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += (chunk as Buffer).toString('latin1')
  return text
}

describe('a framed socket', () => {
  it('reads the same bytes however the frames were split', async () => {
    const frames = Buffer.concat([frame('a'), frame('bc'.repeat(300)), frame('d'), frame('')])
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: frames.length - 1 }), { maxLength: 8 }),
        async (cuts) => {
          using pair = await ends()
          const framed = framedOf(pair.far)
          const places = [0, ...cuts.toSorted((a, b) => a - b), frames.length]
          for (const [index, place] of places.slice(1).entries()) {
            pair.near.write(frames.subarray(places[index], place))
            await new Promise((resolve) => setImmediate(resolve))
          }
          assert.equal(await everything(framed), `a${'bc'.repeat(300)}d`)
        },
      ),
      { numRuns: 20 },
    )
  })

  it('ends one direction and goes on in the other', async () => {
    using pair = await ends()
    const [one, other] = [new FramedSocket(pair.near), new FramedSocket(pair.far)]

    one.end('question')
    assert.equal(await everything(other), 'question')
    other.end('answer')

    assert.equal(await everything(one), 'answer')
    await Promise.all([once(pair.near, 'close'), once(pair.far, 'close')])
  })

  it('fails where the connection is cut, even between two frames', async () => {
    for (const bytes of [
      frame('whole'),
      frame('half').subarray(0, 6),
      Buffer.from([0, 0]),
      Buffer.alloc(0),
    ]) {
      using pair = await ends()
      const framed = framedOf(pair.far)
      pair.near.end(bytes)
      await assert.rejects(everything(framed), /cut before its end/)
    }
  })

  it('holds no more than a reader takes, whatever length is announced', async () => {
    using pair = await ends()
    const framed = framedOf(pair.far)
    const huge = Buffer.alloc(4)
    huge.writeUInt32BE(0xffff_ffff)
    pair.near.write(huge)
    const piece = Buffer.alloc(1024 * 1024)
    framed.read(0)
    for (let turn = 0; turn < 200; turn++) {
      pair.near.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }

    assert.ok(framed.readableLength < piece.length, `${framed.readableLength} bytes are held`)
  })
})

describe('the answer of a sidecar', () => {
  it('is never taken for one where it is something else', () => {
    const answered = (bytes: readonly number[], isEnded: boolean): unknown => {
      const answer = readAnswer(Buffer.from(bytes), isEnded)
      return typeof answer === 'object' ? answer.code : answer
    }
    assert.equal(answered([], false), undefined)
    assert.equal(answered([], true), 'upstream_reset')
    assert.equal(answered([0], false), 'accepted')
    assert.equal(answered([1], false), undefined)
    assert.equal(answered([1, 0x7b], true), 'upstream_protocol')
    assert.equal(answered([2], false), 'upstream_reset')
    assert.equal(
      answered([1, ...Buffer.from('{"code":"WEFT2003","detail":"no"}')], true),
      'permission_denied',
    )
    assert.equal(answered([1, ...Buffer.from('{"code":"WEFT0","detail":"no"}')], true), 'upstream_protocol')
    assert.equal(answered([1, ...Buffer.alloc(9000)], false), 'upstream_reset')
  })
})
