import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { startWorld } from './world.ts'

const order = (...fields: readonly object[]) => ({
  type: 'record',
  name: 'Order',
  fields: [{ name: 'id', type: 'string' }, ...fields],
})
const amount = { name: 'amount', type: 'double', default: 0 }

test('the schema registry', async (t) => {
  const world = await startWorld(t)
  const { bootstrapServers } = world
  const one = await world.startInstance()

  await t.test('a registry without schemas answers, and makes no topic', async () => {
    assert.deepEqual(await one.ask('GET', '/subjects'), { status: 200, body: [] })
    assert.deepEqual(await one.ask('GET', '/config'), {
      status: 200,
      body: { compatibilityLevel: 'BACKWARD' },
    })
    assert.equal((await one.ask('GET', '/schemas/ids/1')).status, 404)
    assert.deepEqual((await one.ask('GET', '/subjects/orders-value/versions')).body, {
      error_code: 40401,
      message: "Subject 'orders-value' not found.",
    })
  })

  await t.test('a schema gets an id and a version; the same text again is the same version', async () => {
    const first = await one.register('orders-value', order())
    assert.deepEqual([first.id, first.version], [1, 1])
    const spaced = { schema: JSON.stringify(order(), undefined, 4) }
    const again = await one.ask('POST', '/subjects/orders-value/versions', spaced)
    assert.deepEqual((again.body as { id: number; version: number }).version, 1)
    const second = await one.register('orders-value', order(amount))
    assert.deepEqual([second.id, second.version], [2, 2])
    assert.deepEqual((await one.ask('GET', '/subjects/orders-value/versions')).body, [1, 2])
    const elsewhere = await one.register('copies-value', order())
    assert.deepEqual([elsewhere.id, elsewhere.version], [1, 1], 'one text has one id')
  })

  await t.test('versions and ids are read in every way', async () => {
    const latest = { subject: 'orders-value', version: 2, id: 2, schema: JSON.stringify(order(amount)) }
    for (const which of ['latest', '-1', '2'])
      assert.deepEqual((await one.ask('GET', `/subjects/orders-value/versions/${which}`)).body, latest, which)
    assert.deepEqual((await one.ask('GET', '/subjects/orders-value/versions/1/schema')).body, order())
    assert.deepEqual((await one.ask('GET', '/schemas/ids/2')).body, { schema: latest.schema })
    assert.deepEqual((await one.ask('GET', '/schemas/ids/2?fetchMaxId=true')).body, {
      schema: latest.schema,
      maxId: 2,
    })
    assert.deepEqual((await one.ask('GET', '/schemas/ids/2/schema')).body, order(amount))
    assert.deepEqual((await one.ask('GET', '/schemas/ids/1/subjects')).body, ['orders-value', 'copies-value'])
    assert.deepEqual((await one.ask('GET', '/schemas/ids/2/versions')).body, [
      { subject: 'orders-value', version: 2 },
    ])
    assert.deepEqual(
      (await one.ask('POST', '/subjects/orders-value', { schema: latest.schema })).body,
      latest,
    )
    assert.deepEqual((await one.ask('GET', '/subjects?subjectPrefix=cop')).body, ['copies-value'])
    assert.deepEqual((await one.ask('GET', '/schemas?latestOnly=true')).body, [
      { subject: 'copies-value', version: 1, id: 1, schema: JSON.stringify(order()) },
      latest,
    ])
  })

  await t.test('what is not compatible is 409 with the reason, and the check says so before', async () => {
    const bad = {
      schema: JSON.stringify(order({ name: 'amount', type: 'double' }, { name: 'shop', type: 'string' })),
    }
    const checked = await one.ask(
      'POST',
      '/compatibility/subjects/orders-value/versions/latest?verbose=true',
      bad,
    )
    const { is_compatible: isCompatible, messages } = checked.body as {
      is_compatible: boolean
      messages: string[]
    }
    assert.equal(isCompatible, false)
    assert.match(messages.join(), /cannot read data of version 2: .*Order\.shop/)
    const refused = await one.ask('POST', '/subjects/orders-value/versions', bad)
    assert.equal(refused.status, 409)
    assert.match((refused.body as { message: string }).message, /Order\.shop/)
    assert.deepEqual(
      (await one.ask('GET', '/subjects/orders-value/versions')).body,
      [1, 2],
      'nothing was stored',
    )
  })

  await t.test('levels are of all or of one subject', async () => {
    const dropped = { schema: JSON.stringify({ ...order(amount), fields: [amount] }) }
    const check = async () =>
      (await one.ask('POST', '/compatibility/subjects/orders-value/versions', dropped)).body
    assert.deepEqual(await check(), { is_compatible: true }, 'a reader does not miss what it does not know')
    assert.deepEqual(await one.ask('PUT', '/config/orders-value', { compatibility: 'FULL' }), {
      status: 200,
      body: { compatibility: 'FULL' },
    })
    assert.deepEqual(await check(), { is_compatible: false }, 'the latest version needs the id')
    assert.deepEqual((await one.ask('GET', '/config/orders-value')).body, { compatibilityLevel: 'FULL' })
    assert.equal((await one.ask('GET', '/config/copies-value')).status, 404)
    assert.deepEqual((await one.ask('GET', '/config/copies-value?defaultToGlobal=true')).body, {
      compatibilityLevel: 'BACKWARD',
    })
    assert.equal((await one.ask('DELETE', '/config/orders-value')).body, 'FULL')
    assert.deepEqual(await check(), { is_compatible: true })
    assert.equal((await one.ask('PUT', '/config', { compatibility: 'SIDEWARD' })).status, 422)
  })

  await t.test('JSON Schema, and references of both types', async () => {
    const first = await one.register('carts-value', { type: 'object', additionalProperties: false }, 'JSON')
    assert.deepEqual((await one.ask('GET', `/schemas/ids/${first.id}`)).body, {
      schemaType: 'JSON',
      schema: '{"type":"object","additionalProperties":false}',
    })
    await assert.rejects(
      one.register('carts-value', { type: 'array' }, 'JSON'),
      /^Error: 409.*expected array/,
    )
    const invoice = {
      schema: JSON.stringify({ type: 'record', name: 'Invoice', fields: [{ name: 'order', type: 'Order' }] }),
      references: [{ name: 'Order', subject: 'orders-value', version: 1 }],
    }
    assert.equal((await one.ask('POST', '/subjects/invoices-value/versions', invoice)).status, 200)
    const { status, body } = await one.ask('DELETE', '/subjects/orders-value/versions/1')
    assert.deepEqual([status, (body as { error_code: number }).error_code], [422, 42206], 'somebody needs it')
    const missing = { ...invoice, references: [{ name: 'Order', subject: 'orders-value', version: 9 }] }
    assert.match(
      JSON.stringify((await one.ask('POST', '/subjects/invoices-value/versions', missing)).body),
      /42201.*orders-value/,
    )
  })

  await t.test('what is malformed is refused, and stays out', async () => {
    const faulty: readonly (readonly [unknown, number])[] = [
      ['{', 422],
      [{}, 422],
      [{ schema: '' }, 422],
      [{ schema: '{"type":"record"}' }, 422],
      [{ schema: '"Nowhere"' }, 422],
      [{ schema: '{}', schemaType: 'XML' }, 422],
      [{ schema: '{"type":5}', schemaType: 'JSON' }, 422],
      [{ schema: '"int"', references: [{ name: 5 }] }, 422],
      [{ schema: `"${'x'.repeat(600_000)}"` }, 422],
      [{ schema: `${'{"type":"array","items":'.repeat(8_000)}"int"${'}'.repeat(8_000)}` }, 422],
    ]
    for (const [body, status] of faulty) {
      const answer = await one.ask('POST', '/subjects/faulty-value/versions', body)
      assert.equal(
        answer.status,
        status,
        `${JSON.stringify(body).slice(0, 60)}: ${JSON.stringify(answer.body).slice(0, 200)}`,
      )
      assert.equal(typeof (answer.body as { error_code: number }).error_code, 'number')
    }
    assert.equal((await one.ask('GET', '/subjects/faulty-value/versions')).status, 404)
    assert.equal((await one.ask('GET', '/subjects/orders-value/versions/0')).status, 422)
    assert.equal((await one.ask('GET', '/subjects/orders-value/versions/2.5')).status, 422)
  })

  await t.test(
    'instances that write at once agree: every schema has one id, every version is there',
    async () => {
      const two = await world.startInstance()
      const wide = (n: number) => order({ name: `f${n}`, type: 'int', default: n })
      const registered = await Promise.all(
        Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? one : two).register('busy-value', wide(n))),
      )
      assert.deepEqual(
        registered.map(({ version }) => version).toSorted((a, b) => a - b),
        Array.from({ length: 16 }, (_, n) => n + 1),
      )
      assert.equal(new Set(registered.map(({ id }) => id)).size, 16)
      const same = await Promise.all([one, two].map((instance) => instance.register('same-value', wide(99))))
      assert.deepEqual(same[0], same[1], 'the same schema by two instances is one version')
      const [seenByOne, seenByTwo] = await Promise.all(
        [one, two].map((instance) => instance.ask('GET', '/schemas?deleted=true')),
      )
      assert.deepEqual(seenByOne, seenByTwo)
      await two.stop()
    },
  )

  await t.test('what an instance has begun to write when it died does not count', async () => {
    const producer = new Producer({
      clientId: 'dead',
      bootstrapBrokers: [...bootstrapServers],
      transactionalId: 'weft-schema-registry',
      idempotent: true,
    })
    const transaction = await producer.beginTransaction({ producerId: -1n, producerEpoch: -1 })
    const ghost = { subject: 'ghost-value', version: 1, id: 999, schema: '"int"', deleted: false }
    await transaction.send({
      acks: ProduceAcks.ALL,
      messages: [
        {
          topic: '_schemas',
          partition: 0,
          key: Buffer.from('{"keytype":"SCHEMA","subject":"ghost-value","version":1,"magic":1}'),
          value: Buffer.from(JSON.stringify(ghost)),
        },
      ],
    })
    await producer.close(true)

    const after = await one.register('after-value', order(amount))
    assert.equal(after.id, 2)
    assert.equal((await one.ask('GET', '/subjects/ghost-value/versions')).status, 404)
  })

  await t.test('deleting is soft first: the id still leads to the schema; then for good', async () => {
    const { id } = await one.register('gone-value', order({ name: 'gone', type: 'int', default: 0 }))
    await one.register('gone-value', order({ name: 'gone2', type: 'int', default: 0 }))
    assert.equal((await one.ask('DELETE', '/subjects/gone-value?permanent=true')).status, 404)
    assert.equal((await one.ask('DELETE', '/subjects/gone-value/versions/1')).body, 1)
    assert.deepEqual((await one.ask('GET', '/subjects/gone-value/versions')).body, [2])
    assert.equal((await one.ask('GET', `/schemas/ids/${id}`)).status, 200)
    assert.deepEqual((await one.ask('DELETE', '/subjects/gone-value/versions/1')).status, 404)
    assert.deepEqual((await one.ask('DELETE', '/subjects/gone-value')).body, [2])
    assert.equal((await one.ask('GET', '/subjects/gone-value/versions')).status, 404)
    assert.deepEqual((await one.ask('GET', '/subjects/gone-value/versions?deleted=true')).body, [1, 2])
    const back = await one.register('gone-value', order())
    assert.equal(back.version, 3, 'a number is not given twice')
    await one.ask('DELETE', '/subjects/gone-value')
    assert.deepEqual((await one.ask('DELETE', '/subjects/gone-value?permanent=true')).body, [1, 2, 3])
    assert.equal((await one.ask('GET', `/schemas/ids/${id}`)).status, 404)
  })

  await t.test('an instance that starts later knows all of it', async () => {
    const before = await one.ask('GET', '/schemas?deleted=true')
    await one.stop()
    const three = await world.startInstance()
    assert.deepEqual(await three.ask('GET', '/schemas?deleted=true'), before)
  })
})
