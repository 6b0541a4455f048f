/** A registry of somebody else's: one of ours stands for it, behind a door that wants a password, and doors that misbehave. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLog } from '@weft/schemas/node/log'
import { fastify } from 'fastify'
import {
  registerSchemaRoutes,
  type SchemaRegistry,
} from '../../../control-plane/src/schema-registry/index.ts'
import { RemoteSchemas } from '../../../control-plane/src/schema-registry/remote-schemas.ts'
import { startWorld } from './world.ts'

const log = createLog('remote-test')
log.level = 'silent'
const order = (type: string) =>
  JSON.stringify({ type: 'record', name: 'Order', fields: [{ name: 'id', type }] })

async function listen(t: TestContext, handler: RequestListener): Promise<string> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function connect(t: TestContext, url: string, userInfo?: string): RemoteSchemas {
  const schemas = new RemoteSchemas({ url, userInfo, log, pollMs: 100 })
  t.after(() => schemas.close())
  return schemas
}

/** Lets through to `target` who says the password. */
const door =
  (target: string): RequestListener =>
  async (request, response) => {
    const expected = `Basic ${Buffer.from('weft:secret').toString('base64')}`
    if (request.headers.authorization !== expected) {
      response.writeHead(401).end('{"error_code":40101,"message":"Unauthorized"}')
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    // What is behind the door ends before it, and somebody may still be asking.
    const answer = await fetch(target + request.url, {
      method: request.method ?? 'GET',
      ...(chunks.length > 0 && {
        body: Buffer.concat(chunks).toString(),
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
      }),
    }).catch(() => undefined)
    if (answer === undefined) response.writeHead(502).end()
    else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text())
  }

test('another registry', async (t) => {
  const world = await startWorld(t)
  const other = await world.startInstance()
  const url = await listen(t, door(other.url))
  const schemas = connect(t, url, 'weft:secret')

  await t.test(
    'what is registered through one is known by the other, levels and references too',
    async () => {
      assert.deepEqual(await schemas.fresh('orders-value'), [])
      await schemas.setLevel('orders-value', 'FULL')
      await schemas.register('orders-value', { type: 'AVRO', text: order('string') })
      assert.deepEqual((await other.ask('GET', '/config/orders-value')).body, { compatibilityLevel: 'FULL' })
      assert.deepEqual(await schemas.fresh('orders-value'), [
        { id: 1, version: 1, type: 'AVRO', text: order('string') },
      ])
      const invoice = {
        schema: JSON.stringify({
          type: 'record',
          name: 'Invoice',
          fields: [{ name: 'order', type: 'Order' }],
        }),
        references: [{ name: 'Order', subject: 'orders-value', version: 1 }],
      }
      assert.equal((await other.ask('POST', '/subjects/invoices-value/versions', invoice)).status, 200)
      const [version] = await schemas.fresh('invoices-value')
      assert.deepEqual(version?.references, [{ name: 'Order', text: order('string') }])
    },
  )

  await t.test('what is not compatible is refused, with the words of the registry', async () => {
    await assert.rejects(
      schemas.register('orders-value', { type: 'AVRO', text: order('int') }),
      /incompatible.*\(409\)/,
    )
  })

  await t.test('what somebody else registers is heard of', async () => {
    let changes = 0
    schemas.onChange(() => changes++)
    await other.ask('PUT', '/config/orders-value', { compatibility: 'NONE' })
    await other.register('orders-value', JSON.parse(order('long')))
    for (let tries = 0; tries < 50 && changes === 0; tries++) await delay(100)
    assert.equal(schemas.versions('orders-value').at(-1)?.text, order('long'))
  })

  await t.test('the routes of the control plane lead there', async () => {
    const app = fastify()
    t.after(() => app.close())
    registerSchemaRoutes(app, undefined as unknown as SchemaRegistry, () => schemas)
    const latest = await app.inject('/subjects/orders-value/versions/latest')
    assert.deepEqual([latest.statusCode, (latest.json() as { version: number }).version], [200, 2])
    const posted = await app.inject({
      method: 'POST',
      url: '/subjects/new-value/versions',
      payload: { schema: '"int"' },
    })
    assert.equal(posted.statusCode, 200, posted.body)
    assert.equal((await app.inject('/subjects/nothing/versions')).statusCode, 404)
  })

  await t.test(
    'a wrong password, and a registry that is away or misbehaves, is said and tried again',
    async () => {
      const said = async (from: string): Promise<string> =>
        connect(t, from)
          .fresh('orders-value')
          .then(
            () => 'nothing',
            (error: unknown) => `${(error as { status: number }).status} ${String(error)}`,
          )
      assert.match(await said(url), /^500 .*Unauthorized/)
      assert.match(
        await said('http://127.0.0.1:1'),
        /^500 .*does not answer.*ECONNREFUSED|^500 .*does not answer/,
      )
      const elsewhere = await listen(t, (_, answer) => answer.writeHead(302, { location: other.url }).end())
      assert.match(await said(elsewhere), /^500 .*does not answer/)
      const endless = await listen(t, (_, answer) => {
        const timer = setInterval(() => answer.write(Buffer.alloc(1024 * 1024)), 1)
        answer.on('close', () => clearInterval(timer))
      })
      assert.match(await said(endless), /^500 .*at most 8388608 bytes/)
      const nonsense = await listen(t, (request, answer) =>
        answer.end(request.url?.endsWith('/versions') === true ? '[1]' : '{"id":"x"}'),
      )
      assert.match(await said(nonsense), /^500 .*expected an id and a schema/)
    },
  )
})
