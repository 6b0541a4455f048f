import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { type Listener, listen, type Protocol } from './index.ts'

interface Told {
  readonly protocol: Protocol
  readonly socket: Socket
}

/** A listener that tells what it took each connection for. */
async function telling(detectionTimeoutMs = 30_000) {
  const waiting: ((told: Told) => void)[] = []
  const told: Told[] = []
  const listener: Listener = await listen({
    host: '127.0.0.1',
    port: 0,
    detectionTimeoutMs,
    accept(socket, protocol) {
      const next = waiting.shift()
      if (next === undefined) told.push({ protocol, socket })
      else next({ protocol, socket })
      const end = (): void => void socket.destroy()
      return { drain: end, destroy: end, checkDeadline: () => {} }
    },
  })
  const next = (): Promise<Told> => {
    const known = told.shift()
    return known === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(known)
  }
  return { listener, next, told, [Symbol.asyncDispose]: () => listener.drain(0) }
}

async function opened(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

describe('the first bytes of a connection', () => {
  it('that trickle in are told as one, and all of them are handed over', async () => {
    await using server = await telling()
    const client = await opened(server.listener.port)
    const sent = 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'
    for (const character of sent) {
      client.write(character)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const { protocol, socket } = await server.next()
    let received = ''
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text
      if (received === sent) socket.destroy()
    })
    await once(socket.resume(), 'close')

    assert.deepEqual([protocol, received], ['http1', sent])
    client.destroy()
  })

  it('that never come make it tcp in time: there the server speaks first', async () => {
    await using server = await telling(50)
    const client = await opened(server.listener.port)

    const { protocol, socket } = await server.next()
    socket.write('220 ready\r\n')
    const [greeting] = (await once(client, 'data')) as [Buffer]

    assert.deepEqual([protocol, greeting.toString()], ['tcp', '220 ready\r\n'])
    client.destroy()
  })

  it('that stop half-way make it tcp in time, and are handed over', async () => {
    await using server = await telling(50)
    const client = await opened(server.listener.port)
    client.write('PRI * HTT')

    const { protocol, socket } = await server.next()
    const [came] = (await once(socket.resume(), 'data')) as [Buffer]

    assert.deepEqual([protocol, came.toString()], ['tcp', 'PRI * HTT'])
    client.destroy()
  })

  it('that end before they tell anything end the connection', async () => {
    await using server = await telling()
    const client = await opened(server.listener.port)
    client.resume().end('GE')

    await once(client, 'close')

    assert.deepEqual(server.told, [])
  })

  it('are not waited for when the listener drains', async () => {
    const server = await telling()
    const client = await opened(server.listener.port)
    const ended = once(client.resume(), 'end')

    await server.listener.drain(60_000)

    await ended
    assert.deepEqual(server.told, [])
    client.destroy()
  })
})
