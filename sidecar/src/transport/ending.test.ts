import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { Ending, MAX_DISCARDED_BYTES } from './ending.ts'

/** Both ends of a connection. */
async function pair(): Promise<{ accepted: Socket; caller: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const caller = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  server.close()
  return { accepted, caller }
}

const SOON_MS = 5_000

describe('a connection that ends', () => {
  it('gives a slow reader the whole of its answer', async () => {
    const { accepted, caller } = await pair()
    const answer = Buffer.alloc(10_000_000)
    accepted.write(answer)
    const ending = new Ending(accepted)

    ending.begin(60_000)
    ending.checkDeadline(performance.now() + SOON_MS)

    let received = 0
    for await (const chunk of caller) received += (chunk as Buffer).length
    assert.equal(received, answer.length)
  })

  it('is closed when the caller has the answer and does not close', async () => {
    const { accepted, caller } = await pair()
    const ending = new Ending(accepted)
    caller.write('unread')

    ending.begin(60_000)
    await once(accepted, 'finish')
    ending.checkDeadline(performance.now() + SOON_MS)

    assert.ok(accepted.destroyed)
    caller.destroy()
  })

  it('is closed when the caller reads nothing at all', async () => {
    const { accepted, caller } = await pair()
    caller.pause()
    accepted.write(Buffer.alloc(10_000_000))
    const ending = new Ending(accepted)

    ending.begin(1_000)
    ending.checkDeadline(performance.now() + SOON_MS)

    assert.ok(accepted.destroyed)
    caller.destroy()
  })

  it('is closed when the caller sends on and on', async () => {
    const { accepted, caller } = await pair()
    const ending = new Ending(accepted)
    ending.begin(60_000)

    ending.discard(MAX_DISCARDED_BYTES)
    assert.ok(!accepted.destroyed)
    ending.discard(1)

    assert.ok(accepted.destroyed)
    caller.destroy()
  })
})
