import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { orderCreated, startNeighbour, TRACEPARENT } from '../chassis/service.test-support.ts'
import { publishByHttp } from './event-api.ts'

const ENTRY = {
  position: 1,
  topic: 'orders',
  key: 'order-1',
  event: orderCreated(),
  trace: { traceparent: TRACEPARENT },
  attempts: 0,
}

test('an event is sent as a CloudEvent in binary mode, keyed by the order, under its stored trace', async (context) => {
  let seen: { method?: string; url?: string; headers: IncomingHttpHeaders; body: string } | undefined
  const eventsUrl = await startNeighbour(context, ({ method = '', url = '', headers }, response, body) => {
    seen = { method, url, headers, body }
    response.end('{"topic":"orders","partition":0,"offset":"0","id":"created-1"}')
  })

  assert.deepEqual(await publishByHttp(eventsUrl, ENTRY), { result: 'published' })

  assert.deepEqual([seen?.method, seen?.url], ['POST', '/v1/topics/orders/events'])
  assert.deepEqual(JSON.parse(seen?.body ?? ''), orderCreated().data)
  const { traceparent, ...headers } = seen?.headers ?? {}
  assert.equal(traceparent, TRACEPARENT)
  assert.deepEqual(Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('ce-'))), {
    'ce-specversion': '1.0',
    'ce-id': 'created-1',
    'ce-source': '/order-service',
    'ce-type': 'dev.weft.shop.OrderCreated.v1',
    'ce-subject': 'order-1',
    'ce-time': '2026-11-21T06:00:00.000Z',
    'ce-partitionkey': 'order-1',
  })
})

for (const [status, result] of [
  [400, 'park'],
  [413, 'park'],
  [422, 'park'],
  [401, 'retry'],
  [403, 'retry'],
  [404, 'retry'],
  [429, 'retry'],
  [302, 'retry'],
  [500, 'retry'],
  [503, 'retry'],
] as const) {
  test(`${status} from the event API means ${result}, and its words are kept`, async (context) => {
    const eventsUrl = await startNeighbour(context, (_request, response) => {
      response.writeHead(status, { location: '/elsewhere' }).end('{"code":"WEFT4004"}')
    })

    assert.deepEqual(await publishByHttp(eventsUrl, ENTRY), {
      result,
      reason: `${status} {"code":"WEFT4004"}`,
    })
  })
}

test('an event API that is not there, or hangs up, throws: the relay tries again', async (context) => {
  const eventsUrl = await startNeighbour(context, (request) => request.socket.destroy())

  await assert.rejects(publishByHttp(eventsUrl, ENTRY), TypeError)
})
