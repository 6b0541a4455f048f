import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { RECEIVER, received } from '../cli/receiver.ts'
import { createProject, type MeshView, type Project } from '../cli/weft.test-support.ts'

const field = (name: string, type: string, more = '') => `{ name: ${name}, type: ${type}${more} }`
const resources = (...fields: readonly string[]) => `apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: orders }
spec:
  partitions: 1
  schema:
    type: avro
    compatibility: FULL
    definition: { type: record, name: Order, fields: [${fields.join(', ')}] }
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: carts }
spec:
  partitions: 1
  schema:
    type: json
    definition: '{"type":"object","properties":{"total":{"type":"number","minimum":0}},"required":["total"]}'
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: later }
spec: { partitions: 1, schema: { type: avro, subject: somewhere-value } }
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: events }
spec:
  target: { mesh: true }
  rules:
    - from: [{ serviceAccount: front }, { serviceAccount: back }]
      to: [{ kafka: { operations: [produce, consume], groups: ['*'] } }]
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: orders }
spec: { topic: orders, service: back, path: /orders }
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: raw }
spec: { topic: orders, service: back, path: /raw, group: raw, format: raw }
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: carts }
spec: { topic: carts, service: back, path: /carts }
`

interface Published {
  readonly status: number
  readonly body: { readonly detail?: string; readonly code?: string }
}

class Front {
  readonly #project: Project
  readonly #mesh: MeshView

  constructor(project: Project, mesh: MeshView) {
    this.#project = project
    this.#mesh = mesh
  }

  async publish(topic: string, body: unknown, headers: Record<string, string> = {}): Promise<Published> {
    const events = this.#mesh.services.find(({ name }) => name === 'front')?.ports.events
    const response = await fetch(`http://127.0.0.1:${events}/v1/topics/${topic}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.isBuffer(body)
        ? new Uint8Array(body)
        : typeof body === 'string'
          ? body
          : JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Published['body'] }
  }

  async registry(path: string, options: RequestInit = {}): Promise<{ status: number; body: unknown }> {
    const response = await fetch(`${this.#mesh.controlPlaneUrl}${path}`, options)
    return { status: response.status, body: await response.json() }
  }

  async topicState(name: string): Promise<{ state: string; message?: string }> {
    const { body } = await this.registry(`/api/v1/namespaces/default/topics/${name}`)
    return (body as { status: { kafka: { state: string; message?: string } } }).status.kafka
  }

  /** Content type and body, in hex where that is no JSON. */
  async delivered(path: string, count: number): Promise<readonly string[]> {
    const all = async () => (await received(this.#project.folder)).filter(({ url }) => url === path)
    for (let tries = 0; tries < 100 && (await all()).length < count; tries++) await delay(100)
    return (await all()).map(({ headers, body }) => {
      const type = headers['content-type'] ?? ''
      return `${type} ${body.toString(type === 'application/json' ? 'utf8' : 'hex')}`
    })
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (await holds()) return
    await delay(100)
  }
  throw new Error(`did not become true: ${what}`)
}

async function startFront(t: TestContext): Promise<{ front: Front; project: Project }> {
  const service = { command: ['node', 'orders.mjs'] }
  const project = await createProject(t, { kafka: {}, back: service, front: service })
  await project.write('orders.mjs', RECEIVER)
  await project.write('mesh/orders.yaml', resources(field('id', 'string'), field('count', 'long')))
  const { mesh } = await project.up()
  return { front: new Front(project, mesh), project }
}

test('a topic with a schema', async (t) => {
  const { front, project } = await startFront(t)
  await until('the schema is in force', async () => (await front.topicState('orders')).state === 'ready')

  await t.test(
    'JSON is published, stored in the Confluent wire format, and delivered as JSON or as it is stored',
    async () => {
      await until(
        'the sidecar knows it',
        async () => (await front.publish('orders', { id: 'a', count: 1 })).status === 200,
      )
      const big = '{"id":"b","count":9007199254740993}'
      assert.equal((await front.publish('orders', big)).status, 200)
      const [first, second] = await front.delivered('/orders', 2)
      assert.equal(first, 'application/json {"id":"a","count":1}')
      assert.equal(second, `application/json ${big}`, 'no number is rounded')
      const { body } = await front.registry('/subjects/orders-value/versions/latest')
      const { id } = body as { id: number }
      const framed = `00${id.toString(16).padStart(8, '0')}`
      assert.equal((await front.delivered('/raw', 2))[0], `application/avro ${framed}026102`)
    },
  )

  await t.test('what does not fit is 422 with the path and what was expected', async () => {
    const { status, body } = await front.publish('orders', { id: 5, more: 1 })
    assert.deepEqual([status, body.code], [422, 'WEFT4006'])
    assert.match(
      body.detail ?? '',
      /orders-value.*\$\.id: expected string, came 5; \$\.count: expected long, it is missing; \$\.more: is no field of Order/,
    )
    assert.equal((await front.publish('orders', '{')).status, 422)
    assert.equal((await front.publish('orders', Buffer.from([0x7b, 0xff, 0x7d]))).status, 422)
    assert.equal((await front.publish('orders', 'x', { 'content-type': 'text/plain' })).status, 415)
    const batch = [
      { specversion: '1.0', id: '1', source: '/s', type: 't', data: { id: 'c', count: 1 } },
      { specversion: '1.0', id: '2', source: '/s', type: 't', data: { id: 'd' } },
    ]
    const refused = await front.publish('orders', batch, {
      'content-type': 'application/cloudevents-batch+json',
    })
    assert.equal(refused.status, 422)
    assert.match(refused.body.detail ?? '', /\[1\] does not: \$\.count/)
  })

  await t.test('what is in the wire format already is taken where it is of the schema', async () => {
    const { body } = await front.registry('/subjects/orders-value/versions/1')
    const framed = (hex: string, id = (body as { id: number }).id) => {
      const header = Buffer.alloc(5)
      header.writeUInt32BE(id, 1)
      return Buffer.concat([header, Buffer.from(hex, 'hex')])
    }
    const asBytes = { 'content-type': 'application/octet-stream' }
    assert.equal((await front.publish('orders', framed('026502'), asBytes)).status, 200)
    assert.equal((await front.delivered('/orders', 3)).at(-1), 'application/json {"id":"e","count":1}')
    const truncated = await front.publish('orders', framed('02'), asBytes)
    assert.deepEqual([truncated.status, truncated.body.code], [422, 'WEFT4006'])
    assert.match((await front.publish('orders', framed('026502', 999), asBytes)).body.detail ?? '', /id 999/)
  })

  await t.test('a JSON Schema guards a topic in the same way', async () => {
    await until(
      'the sidecar knows it',
      async () => (await front.publish('carts', { total: 1 })).status === 200,
    )
    assert.match((await front.publish('carts', { total: -1 })).body.detail ?? '', /\$\.total: must be >= 0/)
    assert.equal((await front.delivered('/carts', 1))[0], 'application/json {"total":1}')
  })

  await t.test('a topic whose schema is nowhere takes nothing, until somebody registers it', async () => {
    assert.equal((await front.publish('later', {})).status, 503)
    assert.match(
      (await front.topicState('later')).message ?? '',
      /no schema is registered for somewhere-value/,
    )
    const token = (
      await readFile(join(project.folder, '.weft/tiny/control-plane/admin-token'), 'utf8').catch(() => '')
    ).trim()
    const schema = JSON.stringify({ schema: '"int"' })
    const open = await front.registry('/subjects/somewhere-value/versions', {
      method: 'POST',
      body: schema,
      headers: { 'content-type': 'application/json' },
    })
    assert.equal(open.status, 401, 'not everybody may')
    for (const authorization of [
      `Bearer ${token}`,
      `Basic ${Buffer.from(`any:${token}`).toString('base64')}`,
    ]) {
      const headers = { 'content-type': 'application/vnd.schemaregistry.v1+json', authorization }
      const { status, body } = await front.registry('/subjects/somewhere-value/versions', {
        method: 'POST',
        body: schema,
        headers,
      })
      assert.equal(status, 200, JSON.stringify(body))
    }
    await until('it is taken', async () => (await front.publish('later', '7')).status === 200)
  })

  await t.test(
    'a change that fits is registered and used; one that does not is said, and the one before stays',
    async () => {
      await project.write(
        'mesh/orders.yaml',
        resources(field('id', 'string'), field('count', 'long'), field('note', 'string', ', default: ""')),
      )
      await until(
        'the new version is used',
        async () => (await front.publish('orders', { id: 'f', count: 1, note: 'n' })).status === 200,
      )
      assert.deepEqual((await front.registry('/subjects/orders-value/versions')).body, [1, 2])
      assert.ok(
        (await front.delivered('/orders', 4)).includes('application/json {"id":"f","count":1,"note":"n"}'),
      )

      await project.write('mesh/orders.yaml', resources(field('id', 'string'), field('must', 'string')))
      await until('the topic says so', async () => (await front.topicState('orders')).state === 'error')
      assert.match((await front.topicState('orders')).message ?? '', /incompatible.*Order\.must/)
      assert.equal((await front.publish('orders', { id: 'g', count: 1 })).status, 200)
    },
  )

  await t.test('weft schema checks, registers, shows and compares', async () => {
    const schema = (...fields: readonly object[]) =>
      JSON.stringify({ type: 'record', name: 'Cart', fields: [{ name: 'id', type: 'string' }, ...fields] })
    await project.write('cart.avsc', schema())
    const registered = await project.weft('schema', 'register', 'cart-value', 'cart.avsc')
    assert.match(registered.stdout, /^cart-value version 1, id \d+\n$/, registered.stderr)
    await project.write('next.avsc', schema({ name: 'note', type: 'string' }))
    const refused = await project.weft('schema', 'check', 'cart-value', 'next.avsc')
    assert.deepEqual([refused.code, /Cart\.note/.test(refused.stdout)], [1, true])
    const forced = await project.weft('schema', 'register', 'cart-value', 'next.avsc')
    assert.match(forced.stderr, /error: Schema being registered is incompatible.*Cart\.note/)
    await project.write('next.avsc', schema({ name: 'note', type: 'string', default: '' }))
    const fits = await project.weft('schema', 'check', 'cart-value', 'next.avsc')
    assert.deepEqual([fits.code, fits.stdout], [0, 'compatible\n'])
    const differs = await project.weft('schema', 'diff', 'cart-value', 'next.avsc')
    assert.deepEqual([differs.code, /^\+ +"name": "note",$/m.test(differs.stdout)], [1, true], differs.stdout)
    assert.equal((await project.weft('schema', 'diff', 'cart-value', 'cart.avsc')).code, 0)
    assert.deepEqual(
      JSON.parse((await project.weft('schema', 'show', 'cart-value')).stdout),
      JSON.parse(schema()),
    )
    assert.match(
      (await project.weft('schema', 'list')).stdout,
      /^SUBJECT +TYPE +VERSION +ID\ncart-value +AVRO +1 /,
    )
    assert.match((await project.weft('schema', 'show', 'nothing')).stderr, /Subject 'nothing' not found/)
    const untyped = await project.weft('schema', 'check', 'cart-value', 'cart.txt')
    assert.deepEqual([untyped.code, /ends in \.avsc or \.json/.test(untyped.stderr)], [2, true])
  })
})
