/** A whole mesh whose broker enforces its own ACLs: the control plane writes them, and nothing that the policies allow needs more. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import kafkajs, { type AclEntry, type Admin } from 'kafkajs'
import { kafkaAt } from '../wire-proxy/world.ts'
import { RECEIVER, received } from './receiver.ts'
import { createProject, type MeshView, type Project } from './weft.test-support.ts'

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs

const policyOf = (callers: string) => `apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: orders }
spec:
  target: { topic: orders }
  rules:
    - from: [{ serviceAccount: ${callers} }]
      to: [{ kafka: { operations: [produce] } }]
    - from: [{ serviceAccount: back }]
      to: [{ kafka: { operations: [consume], groups: [back] } }]
`
const RESOURCES = `apiVersion: mesh.weft.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { kafka: { bootstrapServers: ['replaced:1'], acls: managed } }
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: orders }
spec: { partitions: 1 }
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: secrets }
spec: { partitions: 1 }
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: orders }
spec: { topic: orders, service: back, path: /orders, retry: { attempts: 1, laterMs: [1000] } }
`
const BY_THE_CONTROL_PLANE = 'User:CN=control-plane,OU=weft-system,O=weft.local'
const ROOT = 'User:CN=root,OU=ops,O=elsewhere'
const PROPERTIES = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': [BY_THE_CONTROL_PLANE, 'User:CN=kafka,OU=kafka,O=weft.local', 'User:ANONYMOUS'].join(';'),
}

interface Review {
  readonly mode: string
  readonly foreign: number
  readonly acls: readonly {
    readonly state: string
    readonly principal: string
    readonly resourceName: string
  }[]
}

async function review(project: Project, ...options: readonly string[]): Promise<Review> {
  const { stdout, stderr, code } = await project.weft('acls', '-o', 'json', ...options)
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as Review
}

async function untilWritten(project: Project): Promise<Review> {
  for (let tries = 0; tries < 150; tries++) {
    const now = await review(project, '--all')
    if (now.acls.length > 0 && now.acls.every(({ state }) => state === 'present')) return now
    await delay(200)
  }
  throw new Error(`never as the policies say: ${JSON.stringify(await review(project))}`)
}

async function start(t: TestContext): Promise<{ project: Project; mesh: MeshView }> {
  const command = { command: ['node', 'receiver.mjs'] }
  const project = await createProject(t, {
    kafka: { properties: PROPERTIES },
    front: command,
    back: { ...command, env: { NAME: 'back', REFUSES: 'bad', REFUSES_WITH: '503' } },
  })
  await project.write('receiver.mjs', RECEIVER)
  await project.write('mesh/orders.yaml', RESOURCES)
  await project.write('mesh/orders-policy.yaml', policyOf('front'))
  return { project, mesh: (await project.up()).mesh }
}

const eventsPort = (mesh: MeshView) => mesh.services.find(({ name }) => name === 'front')?.ports.events

const post = (mesh: MeshView, path: string, body: string, type = 'text/plain') =>
  fetch(`http://127.0.0.1:${eventsPort(mesh)}${path}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  })

/** Past every sidecar, with a workload's own certificate. */
async function straight(project: Project, mesh: MeshView, serviceAccount: string, namespace = 'default') {
  const words = ['certs', 'issue', '-n', namespace, '--service-account', serviceAccount, '--dns', 'nowhere']
  const { stdout, stderr } = await project.weft(...words, '-o', 'json')
  assert.notEqual(stdout, '', stderr)
  const { certificatePem, privateKeyPem, trustBundlePem } = JSON.parse(stdout) as Record<string, string>
  const port = Number(mesh.kafka?.bootstrapServers[0]?.split(':')[1])
  return kafkaAt(port, {
    ssl: {
      cert: certificatePem,
      key: privateKeyPem,
      ca: trustBundlePem,
      checkServerIdentity: () => undefined,
    },
    retry: { retries: 0 },
  })
}

test('the brokers enforce what the policies say: all that is allowed works, and going round the sidecar does not help', async (t) => {
  const { project, mesh } = await start(t)
  const written = await untilWritten(project)
  assert.equal(written.mode, 'managed')

  // Publishing, delivery, a later attempt and the dead letter, a transaction: with nothing but what was written.
  for (const body of ['good', 'bad'])
    assert.equal((await post(mesh, '/v1/topics/orders/events', body)).status, 200)
  const event = {
    specversion: '1.0',
    id: '1',
    source: '/test',
    type: 'made',
    topic: 'orders',
    data: 'both',
  }
  const transaction = await post(
    mesh,
    '/v1/transactions',
    JSON.stringify([event]),
    'application/cloudevents-batch+json',
  )
  assert.equal(transaction.status, 200, await transaction.text())
  const delivered = async (): Promise<number> => (await received(project.folder, 'back')).length
  for (let tries = 0; tries < 200 && (await delivered()) < 4; tries++) await delay(100)
  assert.equal(await delivered(), 4, 'good, the transaction, and bad at once and later')
  const letters = async (): Promise<number> =>
    (JSON.parse((await project.weft('dlq', 'list', 'orders', '-o', 'json')).stdout) as { open: number }).open
  for (let tries = 0; tries < 50 && (await letters()) < 1; tries++) await delay(200)
  assert.equal(await letters(), 1)
  await project.write('fixed', '')
  assert.equal((await project.weft('dlq', 'redrive', 'orders', '--all', '--yes')).stdout, '1 sent back\n')
  for (let tries = 0; tries < 200 && (await delivered()) < 5; tries++) await delay(100)
  assert.equal((await received(project.folder, 'back')).at(-1)?.status, 204)

  const front = (await straight(project, mesh, 'front')).producer({ allowAutoTopicCreation: false })
  t.after(() => front.disconnect())
  await front.connect()
  await front.send({ topic: 'orders', messages: [{ value: 'good too' }] })
  await assert.rejects(
    front.send({ topic: 'secrets', messages: [{ value: 'no' }] }),
    /not authorized|not host this topic/i,
  )
  const back = (await straight(project, mesh, 'back')).producer({ allowAutoTopicCreation: false })
  t.after(() => back.disconnect())
  await back.connect()
  await assert.rejects(back.send({ topic: 'orders', messages: [{ value: 'no' }] }), /not authorized/i)
})

test('what is not of the mesh is left alone, and a policy that goes takes its ACLs along', async (t) => {
  const { project, mesh } = await start(t)
  await untilWritten(project)
  const admin = (await straight(project, mesh, 'kafka', 'kafka')).admin()
  t.after(() => admin.disconnect())
  await admin.connect()
  const foreign = acl(ROOT)
  const everybody = acl('User:*')
  const drifted = acl('User:CN=back,OU=default,O=weft.local')
  await admin.createAcls({ acl: [foreign, everybody, drifted] })
  const seen = await review(project, '--all')
  assert.equal(seen.foreign, 2)
  const table = await project.weft('acls')
  assert.match(table.stdout, /- +allow +User:CN=back,OU=default,O=weft\.local +consume +topic secrets\n/)
  assert.match(
    table.stderr,
    /managed: \d+ as they should be, 0 to create, 1 to delete; 2 of others, left alone/,
  )

  // A change brings a pass: front may no longer, back now may.
  await project.write('mesh/orders-policy.yaml', policyOf('back'))
  const produces = async (name: string) =>
    (await principalsOf(admin, 'orders', AclOperationTypes.WRITE)).includes(
      `User:CN=${name},OU=default,O=weft.local`,
    )
  for (let tries = 0; tries < 150 && !((await produces('back')) && !(await produces('front'))); tries++)
    await delay(100)
  assert.deepEqual([await produces('front'), await produces('back')], [false, true])
  const { foreign: left, acls } = await review(project)
  assert.deepEqual([left, acls], [2, []])
  assert.deepEqual(await principalsOf(admin, 'secrets', AclOperationTypes.READ), ['User:*', ROOT])

  // Without any, brokers would refuse everybody: a mesh that allows by default has its ACLs left as they are.
  await project.write(
    'mesh/orders.yaml',
    RESOURCES.replace('spec: { kafka', 'spec: { defaultAction: allow, kafka'),
  )
  const told = async (): Promise<string> => (await project.weft('acls')).stderr
  for (let tries = 0; tries < 50 && !(await told()).includes('brokers deny by default'); tries++)
    await delay(100)
  assert.match(await told(), /brokers deny by default: set spec.defaultAction of the Mesh to deny/)
  assert.equal(await produces('back'), true)
})

test('brokers without an authorizer are told apart from those that do not answer', async (t) => {
  const project = await createProject(t, { kafka: {} })
  await project.write('mesh/orders.yaml', RESOURCES)
  await project.up()
  const { code, stdout, stderr } = await project.weft('acls')
  assert.deepEqual([code, stdout], [0, ''], stderr)
  assert.match(
    stderr,
    /the brokers have no authorizer, so nothing is enforced there: set authorizer\.class\.name/,
  )
})

const acl = (principal: string): AclEntry => ({
  resourceType: AclResourceTypes.TOPIC,
  resourceName: 'secrets',
  resourcePatternType: ResourcePatternTypes.LITERAL,
  principal,
  host: '*',
  operation: AclOperationTypes.READ,
  permissionType: AclPermissionTypes.ALLOW,
})

async function principalsOf(
  admin: Admin,
  topic: string,
  operation: AclEntry['operation'],
): Promise<readonly string[]> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    operation,
    permissionType: AclPermissionTypes.ALLOW,
  })
  return resources.flatMap(({ acls }) => acls.map(({ principal }) => principal)).toSorted()
}
