import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createServer } from 'node:tls'
import { createMetrics } from '@weft/schemas/node/metrics'
import type { EdgeInit } from '@weft/schemas/proto'
import type { TopicEntry } from '@weft/schemas/snapshot'
import { spiffeId } from '@weft/schemas/spiffe'
import {
  joined,
  listeningLog,
  startControlPlane,
  type TestControlPlane,
} from '../identity/control-plane.test-support.ts'
import type { RunningIdentity } from '../identity/index.ts'
import { type RunningSnapshots, type SnapshotsOptions, startSnapshots } from './index.ts'

const topics = (...names: readonly string[]): { topics: TopicEntry[] } => ({
  topics: names.map((name) => ({ name, partitions: 1, maxMessageBytes: 1 })),
})

async function start(
  plane: TestControlPlane,
  identity: RunningIdentity,
  options: Partial<SnapshotsOptions> = {},
): Promise<RunningSnapshots & AsyncDisposable> {
  const snapshots = await startSnapshots({
    controlPlane: plane.address,
    identity,
    workload: 'orders-1',
    softwareVersion: '0.1.0',
    log: listeningLog().log,
    metrics: createMetrics(),
    ...options,
  })
  return Object.assign(snapshots, { [Symbol.asyncDispose]: () => snapshots.close() })
}

/** Resolves when the sidecar uses this version. */
async function inUse(snapshots: RunningSnapshots, version: number): Promise<void> {
  while (snapshots.current().snapshot.version !== version)
    await new Promise<void>((resolve) => {
      const end = snapshots.onChange(() => {
        end()
        resolve()
      })
    })
}

/** Resolves when the control plane's view of its sidecars is such. */
async function shown(
  plane: TestControlPlane,
  such: (entry: ReturnType<TestControlPlane['grpc']['registry']['list']>[number] | undefined) => boolean,
): Promise<void> {
  const { registry } = plane.grpc
  while (!such(registry.list()[0]))
    await new Promise<void>((resolve) => {
      const end = registry.onChange(() => {
        end()
        resolve()
      })
    })
}

test('the first snapshot is indexed, acknowledged and shown in the metrics', async () => {
  await using plane = await startControlPlane()
  plane.provider.change(topics('orders'), 5)
  using identity = await joined(plane)
  const metrics = createMetrics()
  await using snapshots = await start(plane, identity, { metrics })
  assert.equal(snapshots.current().topicByName.get('orders')?.partitions, 1)
  assert.equal(snapshots.connected, true)
  await shown(plane, (entry) => entry?.ackedVersion === 5)
  const text = await metrics.registry.metrics()
  assert.match(text, /weft_config_version 5\n/)
  assert.match(text, /weft_config_connected 1\n/)
})

test('a change is swapped in whole and announced; a listener that throws disturbs nobody', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  await using snapshots = await start(plane, identity)
  const before = snapshots.current()
  snapshots.onChange(() => {
    throw new Error('broken')
  })
  const seen: string[] = []
  const end = snapshots.onChange((now) => {
    assert.equal(now, snapshots.current())
    seen.push(...now.topicByName.keys())
  })
  plane.provider.change(topics('a'))
  await inUse(snapshots, 2)
  assert.deepEqual(seen, ['a'])
  assert.equal(before.topicByName.size, 0)
  end()
  plane.provider.change(topics('b'))
  await inUse(snapshots, 3)
  assert.deepEqual(seen, ['a'])
  await shown(plane, (entry) => entry?.ackedVersion === 3)
})

test('a bad snapshot is refused with every reason, the last good one stays, the next good one is taken', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  await using snapshots = await start(plane, identity)
  const good = snapshots.current()
  plane.provider.change({ samplingRatio: 7, ...topics('a', 'a'), trustDomain: '' })
  await shown(plane, (entry) => entry?.nack !== undefined)
  const [entry] = plane.grpc.registry.list()
  assert.equal(entry?.nack?.version, 2)
  assert.match(entry?.nack?.reason ?? '', /samplingRatio: expected .* came 7\n?/)
  assert.match(entry?.nack?.reason ?? '', /trustDomain: expected a text that is not empty/)
  assert.equal(snapshots.current(), good)
  assert.equal(snapshots.connected, true)
  plane.provider.change(topics('b'))
  await inUse(snapshots, 3)
  await shown(plane, (entry) => entry?.ackedVersion === 3 && entry.nack === undefined)
})

test('a snapshot for another workload is refused', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  await using snapshots = await start(plane, identity)
  const stranger = 'spiffe://weft.local/ns/default/sa/billing-service'
  plane.provider.change({ workload: { identity: stranger, namespace: 'default' } })
  await shown(plane, (entry) => /workload.identity: expected/.test(entry?.nack?.reason ?? ''))
  assert.equal(snapshots.current().snapshot.version, 1)
})

test('without its control plane a sidecar keeps its snapshot; with it back, it catches up', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  const { log, line } = listeningLog()
  await using snapshots = await start(plane, identity, { log })
  await plane.restart(async () => {
    const said = await line(/config stream ended: trying again; the last snapshot stays in use/)
    assert.equal(said.controlPlane, plane.address)
    assert.equal(snapshots.connected, false)
    assert.equal(snapshots.current().snapshot.version, 1)
    await line(/no config stream: trying again/)
    plane.provider.change(topics('while-away'))
  })
  await inUse(snapshots, 2)
  assert.equal(snapshots.connected, true)
})

test('a control plane that counts from further back is believed', async () => {
  await using plane = await startControlPlane()
  plane.provider.change(topics('new'), 900)
  using identity = await joined(plane)
  await using snapshots = await start(plane, identity)
  await plane.restart(async () => plane.provider.change(topics('restored'), 3))
  await inUse(snapshots, 3)
  assert.deepEqual([...snapshots.current().topicByName.keys()], ['restored'])
})

test('another version of the same content is used and acknowledged, and not announced', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  await using snapshots = await start(plane, identity)
  let announced = 0
  snapshots.onChange(() => announced++)
  await plane.restart(async () => plane.provider.change({}, 8))
  await shown(plane, (entry) => entry?.ackedVersion === 8)
  assert.equal(snapshots.current().snapshot.version, 8)
  assert.equal(announced, 0)
})

test('a renewed certificate brings a new stream, and no change is missed in between', async () => {
  await using plane = await startControlPlane({ certificateTtlSeconds: 3 })
  using identity = await joined(plane)
  const metrics = createMetrics()
  const connected = metrics.gauge('weft_config_connected')
  const values: number[] = []
  const set = connected.set.bind(connected)
  connected.set = (...args: unknown[]) => {
    values.push(Number(args[0]))
    Reflect.apply(set, connected, args)
  }
  await using snapshots = await start(plane, identity, { metrics })
  const seen: number[] = []
  snapshots.onChange((now) => seen.push(now.snapshot.version))
  await shown(plane, (entry) => entry?.ackedVersion === 1)
  const since = plane.grpc.registry.list()[0]?.connectedSince
  // Changes at the worst moments: when the new certificate comes, and when the new stream opens.
  identity.onRotate(() => plane.provider.change(topics('rotating')))
  await shown(plane, (entry) => entry?.connectedSince !== since)
  plane.provider.change(topics('opening'))
  await inUse(snapshots, 3)
  await shown(plane, (entry) => entry?.ackedVersion === 3)
  assert.equal(seen.at(-1), 3)
  // 0 at the start, then never again.
  assert.deepEqual(values.slice(0, 1), [0])
  assert.ok(values.slice(1).every((value) => value === 1))
  assert.equal(plane.grpc.registry.list().length, 1)
})

test('counters are sent when they change, and one time that they cannot be had disturbs nothing', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  const asked = Promise.withResolvers<void>()
  const totals = [1n, 1n, undefined, 2n]
  const report = async (): Promise<EdgeInit[]> => {
    const total = totals.shift()
    if (totals.length === 0) asked.resolve()
    if (total === undefined) throw new Error('broken')
    return [{ kind: 'http', source: 'order-service', destination: 'billing-service', total }]
  }
  const { log, line } = listeningLog()
  await using snapshots = await start(plane, identity, { report, log })
  await asked.promise
  await line(/the counters could not be reported/)
  // The acknowledgement follows the report on the same stream.
  plane.provider.change(topics('a'))
  await inUse(snapshots, 2)
  await shown(plane, (entry) => entry?.ackedVersion === 2)
  assert.deepEqual(
    plane.reports.map(({ edges }) => edges[0]?.total),
    [1n, 2n],
  )
})

test('a peer that is not the control plane, though of the same root, is not listened to', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  const id = spiffeId('weft.local', 'default', 'billing-service')
  const pair = await plane.authority.issueWithKey({ spiffeId: id, dnsNames: ['localhost'], ttlSeconds: 60 })
  const server = createServer({ key: pair.privateKeyPem, cert: pair.certificatePem, ALPNProtocols: ['h2'] })
  server.on('secureConnection', (socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const controlPlane = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
  const { log, line } = listeningLog()
  const giveUp = new AbortController()
  const starting = start(plane, identity, { controlPlane, log, signal: giveUp.signal })
  const said = await line(/no config stream/)
  assert.match(String(said.reason), /the certificate is not that of the control plane of weft.local/)
  giveUp.abort()
  await assert.rejects(starting, { name: 'AbortError' })
  server.close()
})

test('an identity of another mesh gets no snapshot', async () => {
  await using plane = await startControlPlane()
  await using other = await startControlPlane()
  using identity = await joined(other)
  const { log, line } = listeningLog()
  const giveUp = new AbortController()
  const starting = start(plane, identity, { log, signal: giveUp.signal })
  await line(/no config stream/)
  giveUp.abort()
  await assert.rejects(starting, { name: 'AbortError' })
})

test('closing ends the stream and keeps the snapshot readable', async () => {
  await using plane = await startControlPlane()
  using identity = await joined(plane)
  const snapshots = await start(plane, identity)
  await snapshots.close()
  assert.equal(snapshots.connected, false)
  assert.equal(snapshots.current().snapshot.version, 1)
  await shown(plane, (entry) => entry === undefined)
})
