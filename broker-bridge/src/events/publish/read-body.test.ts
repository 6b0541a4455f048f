import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { ByteBudget } from './byte-budget.ts'
import { readBody } from './read-body.ts'

/** Sends one request through `readBody` and tells what came of it: the number of bytes, or the code of the error. */
async function read(
  limits: { readonly maxBytes: number; readonly budget: ByteBudget },
  send: (outgoing: ClientRequest) => void,
): Promise<number | string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const outgoing = request({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    method: 'POST',
  })
  outgoing.on('error', () => {})
  send(outgoing)
  const [incoming] = (await once(server, 'request')) as [IncomingMessage]
  try {
    const body = await readBody(incoming, { topic: 't', ...limits })
    assert.equal(limits.budget.used, body.bytes.length)
    body.release()
    return body.bytes.length
  } catch (error) {
    return MeshError.from(error).code
  } finally {
    assert.equal(limits.budget.used, 0, 'nothing is held when it is over')
    server.closeAllConnections()
    server.close()
  }
}

test('a body within the limits is read whole, declared or chunked', async () => {
  const limits = { maxBytes: 100, budget: new ByteBudget(100) }
  assert.equal(await read(limits, (outgoing) => outgoing.end('x'.repeat(100))), 100)
  assert.equal(
    await read(limits, (outgoing) => {
      outgoing.write('x'.repeat(40))
      outgoing.end('x'.repeat(60))
    }),
    100,
  )
  assert.equal(await read(limits, (outgoing) => outgoing.end()), 0)
})

test('a declared length over the limit is refused before a byte of it has come', async () => {
  const limits = { maxBytes: 100, budget: new ByteBudget(1_000) }
  const announce = (outgoing: ClientRequest) => {
    outgoing.setHeader('content-length', '101')
    outgoing.flushHeaders()
  }
  assert.equal(await read(limits, announce), 'event_too_large')
})

test('chunks over the limit are refused as they come', async () => {
  const limits = { maxBytes: 100, budget: new ByteBudget(1_000) }
  const sent = read(limits, (outgoing) => {
    outgoing.write('x'.repeat(60))
    outgoing.write('x'.repeat(60))
  })
  assert.equal(await sent, 'event_too_large')
})

test('what does not fit into the memory for all is overloaded, and takes nothing of it', async () => {
  const budget = new ByteBudget(50)
  assert.equal(
    await read({ maxBytes: 100, budget }, (outgoing) => outgoing.end('x'.repeat(51))),
    'overloaded',
  )
  assert.equal(await read({ maxBytes: 100, budget }, (outgoing) => outgoing.end('x'.repeat(50))), 50)
})

test('a caller that goes away half way is cancelled', async () => {
  const limits = { maxBytes: 100, budget: new ByteBudget(100) }
  const leave = (outgoing: ClientRequest) => {
    outgoing.setHeader('content-length', '10')
    outgoing.write('half', () => setImmediate(() => outgoing.destroy()))
  }
  assert.equal(await read(limits, leave), 'cancelled')
})
