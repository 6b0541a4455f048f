import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { exchange, startPair } from '../outbound/pair.test-support.ts'
import { REFUSED_BODIES, REFUSED_REQUESTS } from '../transport/http1/refused-requests.test-support.ts'

/** An app that answers nothing and remembers every byte: what reaches it is what was forwarded. */
function recorder() {
  const seen: string[] = []
  const app = createServer((socket) => {
    socket.on('data', (chunk) => seen.push(chunk.toString('latin1')))
    socket.on('error', () => {})
  })
  return { app, seen }
}

const NOT_A_STATUS = 'closed without an answer'
const statusOf = (received: string): string => /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? NOT_A_STATUS

describe('what two parsers could read differently', () => {
  it('never reaches the app, is answered once, and ends the connection', async () => {
    const { app, seen } = recorder()
    await using pair = await startPair({ app, plaintext: true })

    for (const { name, bytes, status } of REFUSED_REQUESTS) {
      const received = await exchange(
        pair.inbound.port,
        `${bytes}GET /smuggled HTTP/1.1\r\nHost: server\r\n\r\n`,
      )
      assert.equal(statusOf(received), String(status), name)
      assert.equal(received.match(/HTTP\/1\.1 \d{3} /g)?.length, 1, `${name}: answered once`)
    }
    assert.deepEqual(seen, [])
  })

  it('in a body ends with it: nothing after the fault is forwarded', async () => {
    const { app, seen } = recorder()
    await using pair = await startPair({ app, plaintext: true })

    for (const { name, bytes, status } of REFUSED_BODIES) {
      const received = await exchange(
        pair.inbound.port,
        `${bytes}GET /smuggled HTTP/1.1\r\nHost: server\r\n\r\n`,
      )
      assert.equal(statusOf(received), String(status), name)
    }
    assert.ok(!seen.join('').includes('smuggled'))
  })

  it('is refused on the way out too', async () => {
    const { app, seen } = recorder()
    await using pair = await startPair({ app })

    for (const { name, bytes, status } of REFUSED_REQUESTS)
      assert.equal(statusOf(await exchange(pair.outbound.port, bytes)), String(status), name)
    assert.deepEqual(seen, [])
  })

  it('absolute form is refused inbound', async () => {
    const { app, seen } = recorder()
    await using pair = await startPair({ app, plaintext: true })

    const received = await exchange(pair.inbound.port, 'GET http://server/x HTTP/1.1\r\nHost: server\r\n\r\n')

    assert.equal(statusOf(received), '400')
    assert.deepEqual(seen, [])
  })

  it('CONNECT is refused inbound', async () => {
    await using pair = await startPair({ plaintext: true })

    const received = await exchange(
      pair.inbound.port,
      'CONNECT server:80 HTTP/1.1\r\nHost: server:80\r\n\r\n',
    )

    assert.equal(statusOf(received), '501')
  })

  it('a second answer of the app is never given to the next request', async () => {
    const app = createServer((socket) => {
      let requests = 0
      const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n'
      socket.on('data', () => socket.write(requests++ === 0 ? `${answer}good${answer}evil` : `${answer}next`))
      socket.on('error', () => {})
    })
    await using pair = await startPair({ app, plaintext: true })
    const get = 'GET / HTTP/1.1\r\nHost: server\r\n\r\n'

    const received = await exchange(
      pair.inbound.port,
      [get, get],
      (text) => text.split('HTTP/1.1 ').length === 3 && /(next|good)$/.test(text),
    )

    assert.ok(!received.includes('evil'))
  })
})
