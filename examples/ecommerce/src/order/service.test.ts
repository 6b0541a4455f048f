import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { startNeighbour, TRACEPARENT, tempFolder } from '../chassis/service.test-support.ts'

const MAIN = join(import.meta.dirname, 'main.ts')
const ORDER = {
  productId: 'linen-scarf',
  quantity: 1,
  unitPriceCents: 4900,
  currency: 'EUR',
  card: '4242424242424242',
}

interface Published {
  readonly id: string
  readonly orderId: string
  readonly traceparent: string
}

/** The event API of a sidecar, as far as an outbox can tell: it remembers what it acknowledged. */
async function startEventApi(context: TestContext) {
  const published: Published[] = []
  const waiting: (() => void)[] = []
  const url = await startNeighbour(context, ({ headers }, response, body) => {
    const { orderId } = JSON.parse(body) as { orderId: string }
    published.push({ id: String(headers['ce-id']), orderId, traceparent: String(headers.traceparent) })
    response.end('{}')
    for (const wake of waiting.splice(0)) wake()
  })
  const untilPublished = async (count: number): Promise<readonly Published[]> => {
    while (published.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
    return published
  }
  return { url, published, untilPublished }
}

/** The real process; resolves when it listens. */
async function startProcess(context: TestContext, environment: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(() => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) {
    const port = /listening at http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout.resume()
    return { child, url: `http://127.0.0.1:${port}` }
  }
  throw new Error('order-service ended before it listened')
}

const place = (url: string) =>
  fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: TRACEPARENT },
    body: JSON.stringify(ORDER),
  })

test('an order that was stored when the process was killed is published by the next one, once, under its trace', async (context) => {
  const eventApi = await startEventApi(context)
  const environment = { DATA_DIR: tempFolder(context), EVENTS_URL: eventApi.url }
  const first = await startProcess(context, { ...environment, CRASH_AFTER_STORE: '1' })
  const killed = once(first.child, 'exit')
  await assert.rejects(place(first.url), 'the process dies before it answers')
  assert.deepEqual(await killed, [null, 'SIGKILL'])
  assert.deepEqual(eventApi.published, [])

  // The same environment: the hook is for the first order only.
  const second = await startProcess(context, { ...environment, CRASH_AFTER_STORE: '1' })
  const [recovered] = await eventApi.untilPublished(1)
  const next = (await (await place(second.url)).json()) as { orderId: string }
  const published = await eventApi.untilPublished(2)

  assert.equal(recovered?.traceparent, TRACEPARENT)
  assert.notEqual(recovered?.orderId, next.orderId)
  assert.deepEqual(
    published.map(({ orderId }) => orderId),
    [recovered?.orderId, next.orderId],
  )
})

test('SIGTERM ends the process with 0, and what is not published by then stays in the outbox', async (context) => {
  const away = await startNeighbour(context, (_request, response) => response.writeHead(503).end())
  const dataDir = tempFolder(context)
  const first = await startProcess(context, { DATA_DIR: dataDir, EVENTS_URL: away })
  const { orderId } = (await (await place(first.url)).json()) as { orderId: string }

  first.child.kill('SIGTERM')
  assert.deepEqual(await once(first.child, 'exit'), [0, null])

  const eventApi = await startEventApi(context)
  await startProcess(context, { DATA_DIR: dataDir, EVENTS_URL: eventApi.url })
  const [published] = await eventApi.untilPublished(1)
  assert.equal(published?.orderId, orderId)
})

test('a process without its settings says all that is missing and exits with 1', async () => {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, PORT: 'http' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words += text
  })

  assert.deepEqual(await once(child, 'close'), [1, null])
  assert.match(words, /PORT: expected a port from 0 to 65535; it is "http"/)
  assert.match(words, /EVENTS_URL or WEFT_EVENTS_URL: expected an http or https URL; it is not set/)
})
