import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryFolder, weft } from '../cli.test-support.ts'
import { parseAction, parseSubject } from './can.ts'

const question = (verb: string, what: string, path?: string) => ({ who: 'a', verb, what, path })

test('capitals are an HTTP method, small letters a Kafka operation', () => {
  assert.deepEqual(parseAction(question('DELETE', 'shop', '/x'), 'default', undefined), {
    protocol: 'http',
    service: 'shop',
    namespace: 'default',
    method: 'DELETE',
    path: '/x',
  })
  assert.deepEqual(parseAction(question('delete', 'orders'), 'default', undefined), {
    protocol: 'kafka',
    resource: 'topic',
    name: 'orders',
    operation: 'delete',
  })
})

test('connect asks for a port of a service', () => {
  assert.deepEqual(parseAction(question('connect', 'prod/order-db:5432'), 'default', undefined), {
    protocol: 'tcp',
    service: 'order-db',
    namespace: 'prod',
    port: 5432,
  })
  assert.throws(() => parseAction(question('connect', 'order-db'), 'default', undefined), /which port\?/)
  assert.throws(
    () => parseAction(question('connect', 'order-db:5432', '/x'), 'default', undefined),
    /takes no path/,
  )
})

test('groups, transactional ids, the cluster and other namespaces can be named', () => {
  const kafka = (what: string) => parseAction(question('describe', what), 'default', undefined)
  assert.deepEqual(kafka('group:billing'), {
    protocol: 'kafka',
    resource: 'group',
    name: 'billing',
    operation: 'describe',
  })
  assert.equal((kafka('transactionalId:t') as { resource: string }).resource, 'transactionalId')
  assert.equal((kafka('cluster') as { resource: string }).resource, 'cluster')
  assert.equal((kafka('topic:cluster') as { name: string }).name, 'cluster')
  assert.equal(
    (parseAction(question('GET', 'prod/shop', '/'), 'default', undefined) as { namespace: string }).namespace,
    'prod',
  )
  assert.equal((parseAction(question('consume', 'orders'), 'default', 'g') as { group: string }).group, 'g')
})

test('a question that cannot be right is wrong usage', () => {
  assert.throws(() => parseAction(question('GET', 'shop'), 'default', undefined), /which path\?/)
  assert.throws(
    () => parseAction(question('GET', 'shop', 'orders'), 'default', undefined),
    /a path begins with \//,
  )
  assert.throws(() => parseAction(question('eat', 'shop'), 'default', undefined), /no verb "eat"/)
  assert.throws(() => parseAction(question('produce', 'orders', '/x'), 'default', undefined), /takes no path/)
  assert.throws(() => parseSubject('spiffe://x', 'default'), /expected spiffe:\/\/<trust domain>/)
})

test('a caller is a service account, one of another namespace, a SPIFFE id, or anonymous', () => {
  assert.deepEqual(parseSubject('a', 'n'), { namespace: 'n', serviceAccount: 'a' })
  assert.deepEqual(parseSubject('m/a', 'n'), { namespace: 'm', serviceAccount: 'a' })
  assert.deepEqual(parseSubject('anonymous', 'n'), { anonymous: true })
  assert.deepEqual(parseSubject('spiffe://d/ns/m/sa/a', 'n'), {
    namespace: 'm',
    serviceAccount: 'a',
    trustDomain: 'd',
  })
})

const POLICIES = `apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: orders }
spec:
  target: { topic: orders }
  rules:
    - from: [{ serviceAccount: order-service }]
      to: [{ kafka: { operations: [produce] } }]
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: shop }
spec:
  target: { service: shop }
  rules: [{ from: [{ anonymous: true }], to: [{ http: { methods: [GET], paths: [/, /items/*] } }] }]
`

async function policies(t: TestContext, text = POLICIES): Promise<string> {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'policies.yaml'), text)
  return folder
}

test('offline the files decide: yes is 0 and names the policy, no is 1', async (t) => {
  const cwd = await policies(t)
  const yes = await weft(['can', 'order-service', 'produce', 'orders', '-f', 'policies.yaml'], { cwd })
  assert.equal(yes.code, 0)
  assert.equal(
    yes.stdout,
    'yes  spiffe://weft.local/ns/default/sa/order-service may produce topic orders: policy default/orders allows it\npolicy  default/orders\n',
  )
  const no = await weft(['can', 'billing-service', 'produce', 'orders', '-f', '.', '-o', 'json'], { cwd })
  assert.equal(no.code, 1)
  assert.equal((JSON.parse(no.stdout) as { allowed: boolean }).allowed, false)
  assert.equal(no.stderr.includes('Next:'), false)
})

test('offline: paths are normalised first, and another trust domain is another caller', async (t) => {
  const cwd = await policies(t)
  const can = async (...words: string[]) => (await weft(['can', ...words, '-f', '.'], { cwd })).code
  assert.equal(await can('anonymous', 'GET', 'shop', '/items/1'), 0)
  assert.equal(await can('anonymous', 'GET', 'shop', '/items/../admin'), 1)
  assert.equal(await can('anonymous', 'GET', 'shop', '/items/%2e%2e/admin'), 1)
  assert.equal(await can('anonymous', 'POST', 'shop', '/items/1'), 1)
  assert.equal(await can('spiffe://weft.local/ns/default/sa/order-service', 'produce', 'orders'), 0)
  assert.equal(await can('spiffe://evil/ns/default/sa/order-service', 'produce', 'orders'), 1)
  assert.equal(await can('order-service', 'produce', 'orders', '-n', 'other'), 1)
  assert.equal(await can('Not A Name', 'produce', 'orders'), 2)
})

test('offline: an end user is asked about by provider and claims', async (t) => {
  const cwd = await policies(
    t,
    POLICIES.replace('anonymous: true', 'jwt: { provider: accounts, claims: { role: [admin] } }'),
  )
  const can = async (...words: string[]) =>
    (await weft(['can', 'anonymous', 'GET', 'shop', '/', ...words, '-f', '.'], { cwd })).code
  assert.equal(await can('--jwt', 'accounts', '--claim', 'role=guest', 'role=admin'), 0)
  assert.equal(await can('--jwt', 'default/accounts', '--claim', 'role=admin'), 0)
  assert.equal(await can('--jwt', 'accounts', '--claim', 'role=guest'), 1)
  assert.equal(await can('--jwt', 'other/accounts', '--claim', 'role=admin'), 1)
  assert.equal(await can(), 1)
  assert.equal(await can('--claim', 'role=admin'), 2)
  assert.equal(await can('--jwt', 'accounts', '--claim', 'role'), 2)
})

test('offline: files with faults give no answer', async (t) => {
  const cwd = await policies(t, POLICIES.replace('operations', 'oprations'))
  const { code, stdout, stderr } = await weft(['can', 'order-service', 'produce', 'orders', '-f', '.'], {
    cwd,
  })
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(
    stderr,
    /no answer from them would be sure\n {2}policies\.yaml:8:14 .*\n {2}policies\.yaml:8:23 .*did you mean operations\?/,
  )
})
