import assert from 'node:assert/strict'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { startAnswering, temporaryFolder, weft } from '../cli.test-support.ts'
import { sidecarStates } from './status.ts'

const TOPIC =
  'apiVersion: mesh.weft.dev/v1\nkind: Topic\nmetadata: { name: orders }\nspec: { partitions: 1 }\n'
const RESULTS = {
  version: 3,
  results: [{ kind: 'Topic', namespace: 'default', name: 'orders', result: 'created' }],
}

test('apply sends one file as it is, so that faults carry its lines, and names it in them', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'a.yaml'), `# a comment\n${TOPIC}`)
  const faults = [{ file: 'body', line: 2, column: 1, path: 'spec', message: 'spec: no' }]
  const { url, asked } = await startAnswering(t, () => ({ status: 422, body: { title: 'Invalid', faults } }))
  const { code, stderr } = await weft(['apply', '-f', 'a.yaml', '--control-plane', url], { cwd })
  assert.equal(code, 1)
  assert.equal(asked[0]?.body, `# a comment\n${TOPIC}`)
  assert.equal(asked[0]?.url, '/api/v1/resources')
  assert.match(stderr, / {2}a\.yaml:2:1 spec: no/)
})

test('apply sends several files in one request: all of them or none', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'a.yaml'), TOPIC)
  await writeFile(join(cwd, 'b.yaml'), TOPIC.replace('orders', 'payments'))
  const { url, asked } = await startAnswering(t, () => ({ body: RESULTS }))
  const { code, stdout } = await weft(['apply', '-f', '.', '--dry-run', '--control-plane', url], { cwd })
  assert.equal(code, 0)
  assert.equal(stdout, 'topic/orders created (dry run)\n')
  assert.equal(asked.length, 1)
  assert.equal(asked[0]?.url, '/api/v1/resources?dryRun=true')
  assert.equal((JSON.parse(asked[0]?.body ?? '') as unknown[]).length, 2)
})

test('apply reads standard input, and refuses a file with faults before anything is sent', async (t) => {
  const { url, asked } = await startAnswering(t, () => ({ body: RESULTS }))
  const good = await weft(['apply', '-f', '-', '-o', 'json', '--control-plane', url], { stdin: TOPIC })
  assert.deepEqual(JSON.parse(good.stdout), RESULTS)
  const bad = await weft(['apply', '-f', '-', '--control-plane', url], {
    stdin: TOPIC.replace('partitions', 'x'),
  })
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, /stdin:4:\d+ spec\.x: /)
  const empty = await weft(['apply', '-f', '-', '--control-plane', url], { stdin: '' })
  assert.match(empty.stderr, /no resource in -/)
  assert.equal(asked.length, 1)
})

test('delete does not delete where there is nobody to ask, unless --yes says so', async (t) => {
  const { url, asked } = await startAnswering(t, () => ({ body: { version: 4 } }))
  const asks = await weft(['delete', 'topic', 'orders', '--control-plane', url])
  assert.equal(asks.code, 2)
  assert.equal(asked.length, 0)
  const yes = await weft([
    'delete',
    'topic',
    'orders',
    'payments',
    '-y',
    '-o',
    'json',
    '--control-plane',
    url,
  ])
  assert.equal(yes.code, 0)
  assert.deepEqual(
    asked.map(({ method, url: path }) => `${method} ${path}`),
    ['DELETE /api/v1/namespaces/default/topic/orders', 'DELETE /api/v1/namespaces/default/topic/payments'],
  )
})

test('delete says which were not there', async (t) => {
  const { url } = await startAnswering(t, () => ({ status: 404, body: { title: 'Not found' } }))
  const { code, stderr } = await weft(['delete', 'topic', 'orders', '-y', '--control-plane', url])
  assert.equal(code, 1)
  assert.match(stderr, /not there: topic default\/orders/)
  assert.equal((await weft(['delete'])).code, 2)
  assert.equal((await weft(['delete', 'topic', 'a', '-f', 'x'])).code, 2)
})

test('certs issue writes the key for its owner only', async (t) => {
  const cwd = await temporaryFolder(t)
  const issued = { certificatePem: 'C', privateKeyPem: 'K', trustBundlePem: 'T', expiresAt: 'later' }
  const { url, asked } = await startAnswering(t, () => ({ status: 201, body: issued }))
  const words = [
    'certs',
    'issue',
    '--service-account',
    'kafka',
    '--dns',
    'a',
    'b',
    '--ttl',
    '90m',
    '--control-plane',
    url,
  ]
  assert.equal((await weft(words, { cwd })).code, 2)
  assert.equal((await weft([...words, '--out', 'tls'], { cwd })).code, 0)
  assert.equal((await stat(join(cwd, 'tls/key.pem'))).mode & 0o777, 0o600)
  assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
    namespace: 'default',
    serviceAccount: 'kafka',
    dnsNames: ['a', 'b'],
    ttlSeconds: 5400,
  })
})

test('stop outside of any mesh says where to go', async () => {
  const { code, stderr } = await weft(['stop', 'billing-service'])
  assert.equal(code, 1)
  assert.match(stderr, /no mesh was started from this folder or one above it/)
  assert.equal((await weft(['stop', '../x'])).code, 2)
})

test('trace refuses what is no trace id before it asks', async () => {
  const { code, stderr } = await weft(['trace', 'abc'])
  assert.equal(code, 2)
  assert.match(stderr, /a trace id has 32 hexadecimal digits/)
  assert.equal((await weft(['trace', '--limit', '0'])).code, 2)
})

test('status: a sidecar is ready, behind, refusing, or missing for a Workload that is there', () => {
  const row = { namespace: 'default', identity: 'i', sentVersion: 2 }
  const workload = (name: string) =>
    ({
      apiVersion: 'mesh.weft.dev/v1',
      kind: 'Workload',
      metadata: { name, namespace: 'default', labels: {} },
      spec: { serviceAccount: name, address: '127.0.0.1', inboundPort: 1 },
    }) as const
  const states = sidecarStates(
    [workload('a'), workload('d')],
    [
      { ...row, workload: 'a', ackedVersion: 2 },
      { ...row, workload: 'b', ackedVersion: 1 },
      { ...row, workload: 'c', ackedVersion: 1, nack: { version: 2, reason: 'no' } },
    ],
  )
  assert.deepEqual(
    states.map(({ workload: name, state }) => `${name} ${state}`),
    ['a ready', 'b behind', 'c refused', 'd missing'],
  )
})

test('get -w prints each resource once, then every change, until the control plane goes away', async (t) => {
  const topic = (name: string, partitions: number) => ({
    apiVersion: 'mesh.weft.dev/v1',
    kind: 'Topic',
    metadata: { name, namespace: 'default', labels: {} },
    spec: { name, partitions, replicationFactor: 1, config: {}, maxMessageBytes: 1 },
  })
  const lists = [
    [topic('a', 1), topic('b', 1)],
    [topic('a', 2), topic('c', 1)],
  ]
  const { url } = await startAnswering(t, () => {
    const items = lists.shift()
    return items === undefined
      ? { status: 503, body: { title: 'Not ready' } }
      : { body: { version: 1, items } }
  })
  const { code, stdout } = await weft(['get', 'topics', '-w', '-o', 'json', '--control-plane', url])
  assert.equal(code, 1)
  const changes = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { change: string; resource: { metadata: { name: string } } })
  assert.deepEqual(
    changes.map(({ change, resource }) => `${change} ${resource.metadata.name}`),
    ['added a', 'added b', 'changed a', 'added c', 'deleted b'],
  )
})
