import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createStreamHub, type StreamOptions } from './stream.ts'

async function startHub(t: TestContext, options: Partial<StreamOptions> = {}) {
  const busy: boolean[] = []
  const hub = createStreamHub({
    greeting: () => [['graph', '{"first":true}']],
    onBusy: (value) => busy.push(value),
    ...options,
  })
  const server = createServer((_request, response) => {
    if (!hub.open(response)) response.writeHead(503).end()
    server.emit('opened', response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })

  /** A page that has sent its request; the answer of the server's side comes with it. */
  const open = async (): Promise<{ readonly socket: Socket; readonly response: ServerResponse }> => {
    const opened = once(server, 'opened')
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
    const [response] = (await opened) as [ServerResponse]
    return { socket, response }
  }
  return { hub, busy, open }
}

/** Reads until the text has come. */
async function until(socket: Socket, text: string): Promise<string> {
  let came = ''
  while (!came.includes(text)) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    came += chunk.toString()
  }
  return came
}

test('a page is told when to come back and how things stand, with ids that grow', async (t) => {
  const { hub, open } = await startHub(t)
  const { socket } = await open()
  hub.send('trace', '{"a":1}')
  const text = await until(socket, '"a":1')
  assert.match(text, /content-type: text\/event-stream/)
  assert.match(text, /retry: 1000\n\n/)
  assert.match(text, /id: 1\nevent: graph\ndata: \{"first":true\}\n\n/)
  assert.match(text, /id: 2\nevent: trace\ndata: \{"a":1\}\n\n/)
})

test('the first page and the last one are what makes the hub busy', async (t) => {
  const { hub, busy, open } = await startHub(t)
  const [first, second] = [await open(), await open()]
  assert.deepEqual([busy, hub.size], [[true], 2])
  first.socket.destroy()
  await once(first.response, 'close')
  assert.deepEqual([busy, hub.size], [[true], 1])
  second.socket.destroy()
  await once(second.response, 'close')
  assert.deepEqual([busy, hub.size], [[true, false], 0])
})

test('one page more than there may be is turned away', async (t) => {
  const { hub, open } = await startHub(t, { maxClients: 1 })
  await open()
  const { socket } = await open()
  assert.match(await until(socket, '\r\n'), /^HTTP\/1.1 503/)
  assert.equal(hub.size, 1)
})

test('a page that does not read is cut off, and the one that reads goes on', async (t) => {
  const { hub, open } = await startHub(t, { maxBufferedBytes: 100_000 })
  const [slow, fast] = [await open(), await open()]
  slow.socket.pause()
  fast.socket.resume()
  const cut = once(slow.response, 'close')
  // The kernel's buffers take some megabytes before anything waits in ours.
  const send = (): void => {
    hub.send('graph', 'x'.repeat(50_000))
    if (hub.size === 2) setImmediate(send)
  }
  send()
  await cut
  assert.equal(hub.size, 1)
  assert.ok(slow.response.writableLength <= 200_000)
  fast.socket.removeAllListeners('data')
  const last = until(fast.socket, 'the last')
  hub.send('graph', 'the last')
  await last
})

test('closing ends every stream', async (t) => {
  const { hub, open } = await startHub(t)
  const { socket, response } = await open()
  socket.resume()
  const closed = once(response, 'close')
  hub.close()
  await closed
  assert.equal(hub.size, 0)
})
