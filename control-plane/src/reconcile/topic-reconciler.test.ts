import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLog } from '@weft/schemas/node/log'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { startBroker } from '../cli/up/broker.ts'
import { issueBrokerCertificate, openCertificateAuthority } from '../serve/ca/index.ts'
import type { WantedTopic } from '../translate/index.ts'
import { createKafkaAdmin, startTopicReconciler, type TopicReconciler } from './index.ts'

const log = createLog('test')
log.level = 'silent'

const topic = (name: string, more: Partial<WantedTopic> = {}): WantedTopic => ({
  name,
  partitions: 2,
  replicationFactor: 1,
  config: {},
  maxMessageBytes: 1000,
  ...more,
})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof bound === 'object' && bound !== null ? bound.port : 0
}

/** The broker has no event for us: its state is asked for until it is as expected; the test's own time limit ends it. */
async function until(reconciler: TopicReconciler, name: string, expected: RegExp): Promise<void> {
  for (;;) {
    const { state, message = '' } = reconciler.status(name)
    if (expected.test(`${state} ${message}`)) return
    await delay(20)
  }
}

test('topics follow their resources on a real broker over mTLS, which may come later', {
  timeout: 120_000,
}, async () => {
  // The last begun is the first ended: the broker before its folder.
  await using end = new AsyncDisposableStack()
  const root = await mkdtemp(join(tmpdir(), 'weft-topics-'))
  end.defer(() => rm(root, { recursive: true, force: true }))
  const authority = await openCertificateAuthority({ stateDir: root, trustDomain: 'weft.local', log })
  const port = await freePort()
  const cluster: KafkaCluster = { bootstrapServers: [`127.0.0.1:${port}`], security: 'mtls' }
  const state: { cluster: KafkaCluster | undefined; wanted: readonly WantedTopic[]; changed: () => void } = {
    cluster: undefined,
    wanted: [topic('orders'), topic('orders.billing.dlt')],
    changed: () => {},
  }
  const kafka = createKafkaAdmin({ cluster: () => state.cluster, authority, log })
  const reconciler = startTopicReconciler({
    admin: kafka.current,
    wanted: () => state.wanted,
    onChange: (listener) => {
      state.changed = listener
      return () => {}
    },
    log,
  })
  end.defer(async () => {
    await reconciler.close()
    await kafka.close()
  })

  // Without a cluster, then with one that is away: nothing is lost, and both are said.
  await until(reconciler, 'orders', /^pending the Mesh resource names no Kafka cluster/)
  state.cluster = cluster
  state.changed()
  await until(reconciler, 'orders', /^pending the broker does not answer: .*ECONNREFUSED/)

  const { certificatePem, privateKeyPem, trustBundlePem } = await issueBrokerCertificate(authority, {
    namespace: 'kafka',
    serviceAccount: 'broker',
    dnsNames: ['localhost', '127.0.0.1'],
    ttlSeconds: 3600,
  })
  const tls = { certificatePem, privateKeyPem, trustBundlePem }
  const broker = await startBroker({ dataDir: join(root, 'kafka'), port, tls })
  end.defer(() => broker.stop())
  await until(reconciler, 'orders', /^ready $/)
  await until(reconciler, 'orders.billing.dlt', /^ready $/)

  const admin = await kafka.current()
  assert.ok(admin)
  const partitions = async (name: string) =>
    (await admin.metadata({ topics: [name], forceUpdate: true })).topics.get(name)?.partitionsCount
  assert.equal(await partitions('orders'), 2)

  state.wanted = [
    topic('orders', { partitions: 4, config: { 'retention.ms': '12345' }, maxMessageBytes: 5000 }),
  ]
  state.changed()
  while ((await partitions('orders')) !== 4) await delay(20)
  const setting = async (name: string) =>
    (
      await admin.describeConfigs({
        resources: [{ resourceType: 2, resourceName: 'orders', configurationKeys: [name] }],
      })
    )[0]?.configs[0]?.value
  while ((await setting('retention.ms')) !== '12345') await delay(20)
  assert.equal(await setting('max.message.bytes'), '6024')
  // A topic that is wanted no more stays: what it holds cannot be brought back.
  assert.equal(await partitions('orders.billing.dlt'), 2)

  state.wanted = [topic('orders', { partitions: 1 }), topic('too-many-replicas', { replicationFactor: 3 })]
  state.changed()
  await until(reconciler, 'orders', /^ready it has 4 partitions, not 1: Kafka cannot take any away/)
  await until(reconciler, 'too-many-replicas', /^error .*replication factor/i)

  // Several that make the same topics at once: whoever comes second is not told of an error.
  const errors: unknown[] = []
  const strict = Object.assign(Object.create(log) as typeof log, {
    error: (fields: unknown) => errors.push(fields),
  })
  const many = Array.from({ length: 20 }, (_, n) => topic(`many-${n}`))
  const second = createKafkaAdmin({ cluster: () => state.cluster, authority, log })
  const both = [kafka, second].map(({ current }) =>
    startTopicReconciler({ admin: current, wanted: () => many, onChange: () => () => {}, log: strict }),
  )
  for (const one of both) for (const { name } of many) await until(one, name, /^ready $/)
  await Promise.all(both.map((one) => one.close()))
  await second.close()
  assert.deepEqual(errors, [])

  // A broker that goes away is an error of nobody's process, and what waits for it is made when it is back.
  await broker.stop()
  state.wanted = [topic('orders', { partitions: 4 }), topic('later')]
  state.changed()
  await until(reconciler, 'later', /^pending the broker does not answer/)
  const again = await startBroker({ dataDir: join(root, 'kafka'), port, tls })
  end.defer(() => again.stop())
  await until(reconciler, 'later', /^ready $/)
})
