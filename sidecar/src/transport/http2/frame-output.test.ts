import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { FrameOutput } from './frame-output.ts'
import { FRAME, FRAME_HEAD_BYTES } from './protocol.ts'

const FRAME_BYTES = 16 * 1024
/** More than sockets and both limits of an output hold, so that buffers are full, on their way, and used again. */
const FRAMES = 1_500

describe('the output of an HTTP/2 connection', () => {
  const server = createServer()
  before(async () => {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
  })
  after(() => server.close())

  async function ends(): Promise<[near: Socket, far: Socket]> {
    const address = server.address()
    const near = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
    const [far] = (await once(server, 'connection')) as [Socket]
    return [near, far]
  }

  /** Sends frames that are filled with a number of their own, as fast as the socket takes them. */
  async function send(socket: Socket, mark: number, onBlocked: () => void): Promise<void> {
    let unblocked: (() => void) | undefined
    const output = new FrameOutput(socket, { onBlocked, onUnblocked: () => unblocked?.() })
    const payload = Buffer.alloc(FRAME_BYTES)
    for (let number = 0; number < FRAMES; number++) {
      while (output.isBlocked) await new Promise<void>((resolve) => (unblocked = resolve))
      output.frameHead(FRAME_BYTES, FRAME.data, 0, mark)
      output.bytes(payload.fill((number * 7 + mark) % 251), 0, FRAME_BYTES)
      if (number % 5 === 0) await delay(0)
    }
    output.flush()
    socket.end()
  }

  async function check(socket: Socket, mark: number): Promise<number> {
    let rest = Buffer.alloc(0)
    let number = 0
    for await (const chunk of socket) {
      rest = Buffer.concat([rest, chunk as Buffer])
      for (; rest.length >= FRAME_HEAD_BYTES + FRAME_BYTES; number++) {
        assert.equal(rest.readUInt32BE(5), mark)
        const payload = rest.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + FRAME_BYTES)
        assert.deepEqual(payload, Buffer.alloc(FRAME_BYTES, (number * 7 + mark) % 251), `frame ${number}`)
        rest = rest.subarray(FRAME_HEAD_BYTES + FRAME_BYTES)
      }
      if (number % 40 === mark % 40) await delay(5)
    }
    return number
  }

  it('uses buffers again, and never one that is still on its way', async () => {
    const connections = [await ends(), await ends(), await ends(), await ends()]
    // One is cut in the middle: what it held may be in the kernel's hands for longer.
    const [cutNear, cutFar] = await ends()
    void send(
      cutNear.on('error', () => {}),
      99,
      () => {},
    )
    cutFar.once('data', () => cutFar.resetAndDestroy())
    const counts = await Promise.all(
      connections.map(async ([near, far], mark) => {
        const blocked = Promise.withResolvers<void>()
        const sent = send(near, mark, blocked.resolve)
        // Nobody reads until the system holds as much as it can: what was written is on its way for long.
        await blocked.promise
        const count = await check(far, mark)
        await sent
        return count
      }),
    )
    assert.deepEqual(counts, [FRAMES, FRAMES, FRAMES, FRAMES])
    cutNear.destroy()
  })
})
