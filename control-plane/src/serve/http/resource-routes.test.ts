import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { api, topic } from './http.test-support.ts'

const ORDERS = '/api/v1/namespaces/default/topics/orders'

test('resources are created, listed, read, replaced and deleted', async (t) => {
  const { call } = await api(t)
  const created = await call('POST', '/api/v1/resources', { body: topic('orders') })
  assert.equal(created.status, 201)
  assert.deepEqual(created.body.results, [
    { kind: 'Topic', namespace: 'default', name: 'orders', result: 'created' },
  ])

  const list = await call('GET', '/api/v1/resources?kind=topics&namespace=default', { anonymous: true })
  assert.equal(list.body.version, created.body.version)
  assert.equal(list.body.items.length, 1)
  assert.deepEqual(list.body.items[0]?.status, { source: 'api', kafka: { state: 'ready' } })
  assert.equal((await call('GET', '/api/v1/resources?namespace=other')).body.items.length, 0)

  const replaced = await call('PUT', ORDERS, { body: topic('orders', '{ partitions: 4 }') })
  assert.deepEqual([replaced.status, replaced.body.results[0]?.result], [200, 'replaced'])
  const read = await call('GET', ORDERS, { anonymous: true })
  assert.equal(read.body.spec.partitions, 4)
  assert.equal(read.headers.get('etag'), replaced.headers.get('etag'))

  assert.equal((await call('DELETE', ORDERS)).status, 200)
  assert.equal((await call('GET', ORDERS)).status, 404)
  assert.equal((await call('DELETE', ORDERS)).status, 404)
})

test('kinds are found singular and plural, in any case', async (t) => {
  const { call } = await api(t)
  await call('POST', '/api/v1/resources', { body: topic('orders') })
  for (const kind of ['Topic', 'topic', 'topics', 'TOPICS'])
    assert.equal((await call('GET', `/api/v1/namespaces/default/${kind}/orders`)).status, 200, kind)
  assert.equal((await call('GET', '/api/v1/namespaces/default/widgets/orders')).status, 404)
  assert.equal((await call('GET', '/api/v1/resources?kind=widgets')).status, 400)
})

test('a resource that was read can be written back as it is', async (t) => {
  const { call } = await api(t)
  await call('PUT', ORDERS, { body: topic('orders') })
  const { body } = await call('GET', ORDERS)
  const again = await call('PUT', ORDERS, { body })
  assert.deepEqual([again.status, again.body.results[0]?.result], [200, 'unchanged'])
})

test('JSON is taken as one resource and as a list', async (t) => {
  const { call } = await api(t)
  const item = (name: string) => ({
    apiVersion: 'mesh.weft.dev/v1',
    kind: 'Topic',
    metadata: { name },
    spec: {},
  })
  assert.equal((await call('POST', '/api/v1/resources', { body: item('a') })).status, 201)
  const both = await call('PUT', '/api/v1/resources', { body: [item('a'), item('b')] })
  assert.deepEqual(
    both.body.results.map(({ result }) => result),
    ['unchanged', 'created'],
  )
})

test('every fault of a request comes at once with line, column, path and what was expected; nothing is changed', async (t) => {
  const { call, store } = await api(t)
  const body = `${topic('good')}---\n${topic('bad', '{ partitions: 0, retention: 5 }')}---\nkind: Servise\n`
  const { status, headers, body: problem } = await call('PUT', '/api/v1/resources', { body })
  assert.equal(status, 422)
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.equal(problem.code, 'WEFT5001')
  assert.deepEqual(
    problem.faults.map(({ line, column, path }) => [line, column, path]),
    [
      [9, 21, 'spec.partitions'],
      [9, 24, 'spec.retention'],
      [11, 1, 'apiVersion'],
      [11, 7, 'kind'],
    ],
  )
  assert.equal(problem.faults[0]?.expected, 'a whole number from 1 to 10000')
  assert.equal(problem.faults[0]?.came, '0')
  assert.deepEqual(store.resources(), [])
})

test('a body without a resource is a fault', async (t) => {
  const { call } = await api(t)
  for (const body of ['# nothing\n', [], '---\n---\n'])
    assert.equal((await call('PUT', '/api/v1/resources', { body })).status, 422)
})

test('bodies that are no JSON, no UTF-8, of another type or too large are refused', async (t) => {
  const { call, url, token } = await api(t)
  const send = async (type: string, body: string | Uint8Array<ArrayBuffer>) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type }
    const response = await fetch(`${url}/api/v1/resources`, { method: 'PUT', headers, body })
    return [response.status, response.headers.get('content-type')]
  }
  const problem = 'application/problem+json; charset=utf-8'
  assert.deepEqual(await send('application/json', '{"a":'), [400, problem])
  assert.deepEqual(await send('application/yaml', new Uint8Array([0xff, 0xfe, 0x61])), [400, problem])
  assert.deepEqual(await send('text/plain', 'x'), [415, problem])
  assert.deepEqual(await send('application/yaml', 'x'.repeat(4 * 1024 * 1024 + 1)), [413, problem])
  assert.deepEqual(await send('application/yaml', `#${'x'.repeat(1024 * 1024)}`), [422, problem])
  assert.equal((await call('GET', '/healthz')).status, 200)
})

test('deep, wide and alias-bomb bodies are refused and the server lives on', async (t) => {
  const { call } = await api(t)
  const names = 'abcdefghijklmnop'.split('')
  const bomb = names
    .map(
      (name, index) =>
        `${name}: &${name} [${
          index === 0
            ? 'x'
            : Array(9)
                .fill(`*${names[index - 1]}`)
                .join(',')
        }]`,
    )
    .join('\n')
  for (const body of [
    bomb,
    '['.repeat(50_000),
    `${'{a: '.repeat(2000)}1`,
    '- '.repeat(5000),
    '&a [*a]',
    `? ${'x'.repeat(5000)}\n: 1`,
  ])
    assert.equal((await call('PUT', '/api/v1/resources', { body })).status, 422, body.slice(0, 20))
  assert.equal((await call('GET', '/healthz')).status, 200)
})

test('creating what is there is a conflict, and nothing of the request is made', async (t) => {
  const { call, store } = await api(t)
  await call('POST', '/api/v1/resources', { body: topic('a') })
  const again = await call('POST', '/api/v1/resources', { body: `${topic('b')}---\n${topic('a')}` })
  assert.equal(again.status, 409)
  assert.match(again.body.detail, /Topic default\/a/)
  assert.equal(store.resources().length, 1)
})

test('an address takes only its own resource', async (t) => {
  const { call } = await api(t)
  const { status, body } = await call('PUT', ORDERS, { body: `${topic('other')}---\n${topic('orders')}` })
  assert.equal(status, 422)
  assert.deepEqual(
    body.faults.map(({ line, path }) => [line, path]),
    [
      [3, 'metadata.name'],
      [6, ''],
    ],
  )
})

test('If-Match holds for replace and delete, If-None-Match for a read', async (t) => {
  const { call } = await api(t)
  const etag = (await call('PUT', ORDERS, { body: topic('orders') })).headers.get('etag') ?? ''
  assert.equal((await call('GET', ORDERS, { headers: { 'if-none-match': etag } })).status, 304)
  await call('PUT', ORDERS, { body: topic('orders', '{ partitions: 5 }'), headers: { 'if-match': etag } })
  const late = await call('PUT', ORDERS, {
    body: topic('orders', '{ partitions: 6 }'),
    headers: { 'if-match': etag },
  })
  assert.deepEqual([late.status, late.body.code], [412, 'WEFT5005'])
  assert.equal((await call('DELETE', ORDERS, { headers: { 'if-match': etag } })).status, 412)
  const none = { body: topic('x'), headers: { 'if-match': '*' } }
  assert.equal((await call('PUT', '/api/v1/namespaces/default/topics/x', none)).status, 412)
  const two = { body: `${topic('x')}---\n${topic('y')}`, headers: { 'if-match': '*' } }
  assert.equal((await call('PUT', '/api/v1/resources', two)).status, 400)
})

test('of many replaces at once with one ETag one wins, and without one all are made', async (t) => {
  const { call } = await api(t)
  const etag = (await call('PUT', ORDERS, { body: topic('orders') })).headers.get('etag') ?? ''
  const put = (index: number, headers: Record<string, string>) =>
    call('PUT', ORDERS, { body: topic('orders', `{ partitions: ${10 + index} }`), headers })
  const indexes = [0, 1, 2, 3, 4, 5]
  const matched = await Promise.all(indexes.map((index) => put(index, { 'if-match': etag })))
  assert.equal(matched.filter(({ status }) => status === 200).length, 1)
  assert.equal(matched.filter(({ status }) => status === 412).length, 5)
  const all = await Promise.all(indexes.map((index) => put(20 + index, {})))
  assert.ok(all.every(({ status }) => status === 200))
})

test('a dry run answers and changes nothing; a misspelt one is refused', async (t) => {
  const { call, store } = await api(t)
  const dry = await call('PUT', '/api/v1/resources?dryRun=true', { body: topic('a') })
  assert.deepEqual([dry.status, dry.body.results[0]?.result], [200, 'created'])
  assert.equal((await call('POST', '/api/v1/resources?dryRun=yes', { body: topic('a') })).status, 400)
  assert.deepEqual(store.resources(), [])
})

test('a change by the API of a watched file keeps its comments', async (t) => {
  const { call, folder, store } = await api(t)
  const file = join(folder, 'a.yaml')
  await writeFile(
    file,
    `# ours\n${topic('orders', '{ partitions: 2 } # two')}---\n# theirs\n${topic('other')}`,
  )
  await store.reload()
  assert.deepEqual((await call('GET', ORDERS)).body.status.source, { file, line: 2 })
  await call('PUT', ORDERS, { body: topic('orders', '{ partitions: 3, name: orders }') })
  assert.equal(
    await readFile(file, 'utf8'),
    `# ours\n${topic('orders', '{ partitions: 3, name: orders } # two')}---\n# theirs\n${topic('other')}`,
  )
})

test('faults of watched files are listed with what is in force staying', async (t) => {
  const { call, folder, store } = await api(t)
  await writeFile(join(folder, 'a.yaml'), topic('orders', '{ partitions: 2 }'))
  await store.reload()
  await writeFile(join(folder, 'a.yaml'), topic('orders', '{ partitions: two }'))
  await store.reload()
  const { body } = await call('GET', '/api/v1/faults', { anonymous: true })
  assert.deepEqual(
    body.faults.map(({ file, line, column, path }) => [file, line, column, path]),
    [[join(folder, 'a.yaml'), 4, 21, 'spec.partitions']],
  )
  assert.equal((await call('GET', ORDERS)).body.spec.partitions, 2)
})
