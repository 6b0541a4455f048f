import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { test } from 'node:test'
import { createServer } from 'node:tls'
import { startBroker } from '@weft/control-plane/cli/broker'
import type { IdentitySource, WorkloadIdentity } from '@weft/schemas/node/identity'
import { spiffeId } from '@weft/schemas/spiffe'
import { Kafka, logLevel } from 'kafkajs'
import {
  type CertificateAuthority,
  openCertificateAuthority,
} from '../../../control-plane/src/serve/ca/index.ts'
import { makeTopics } from '../../process/topics.ts'
import { App, log, snapshotOf, startBridge, subscriptionEntry, topicEntry } from './world.ts'

const WORKLOAD = spiffeId('weft.local', 'default', 'billing-service')

async function workloadIdentity(authority: CertificateAuthority): Promise<WorkloadIdentity> {
  const issued = await authority.issueWithKey({ spiffeId: WORKLOAD, dnsNames: [], ttlSeconds: 3_600 })
  const { certificatePem, privateKeyPem, trustBundlePem, expiresAt } = issued
  return { spiffeId: WORKLOAD, certificateChainPem: certificatePem, privateKeyPem, trustBundlePem, expiresAt }
}

class Rotating implements IdentitySource {
  readonly #listeners = new Set<(now: WorkloadIdentity) => void>()
  #now: WorkloadIdentity

  constructor(now: WorkloadIdentity) {
    this.#now = now
  }

  current(): WorkloadIdentity {
    return this.#now
  }

  onRotate(listener: (now: WorkloadIdentity) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  rotate(now: WorkloadIdentity): void {
    this.#now = now
    for (const listener of this.#listeners) listener(now)
  }
}

test('with mTLS the workload’s own certificate goes to the broker, and a renewed one loses nothing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-mtls-'))
  const authority = await openCertificateAuthority({ stateDir: folder, trustDomain: 'weft.local', log })
  const brokerId = spiffeId('weft.local', 'weft-system', 'kafka')
  const tls = await authority.issueWithKey({ spiffeId: brokerId, dnsNames: ['localhost'], ttlSeconds: 3_600 })
  const broker = await startBroker({ dataDir: join(folder, 'kafka'), tls })
  try {
    const identity = new Rotating(await workloadIdentity(authority))
    const { certificateChainPem: cert, privateKeyPem: key, trustBundlePem: ca } = identity.current()
    const kafka = new Kafka({
      brokers: [...broker.bootstrapServers],
      logLevel: logLevel.NOTHING,
      ssl: { cert, key, ca, checkServerIdentity: () => undefined },
    })
    const admin = kafka.admin()
    await admin.connect()
    await makeTopics(admin, [{ topic: 'orders', numPartitions: 2 }])
    await admin.disconnect()

    await using app = await App.start()
    const snapshots = snapshotOf(broker.bootstrapServers, {
      kafka: { bootstrapServers: broker.bootstrapServers, security: 'mtls' },
      topics: [topicEntry('orders')],
      subscriptions: [subscriptionEntry('orders')],
    })
    await using bridge = await startBridge(snapshots, { appPort: app.port, identity })
    let published = 0
    const publish = async () => {
      const response = await fetch(`${bridge.url}/v1/topics/orders/events`, { method: 'POST', body: 'x' })
      assert.equal(response.status, 200, await response.text())
      published++
    }
    for (let event = 0; event < 20; event++) await publish()
    await app.until((got) => got.length === 20)

    let consuming = 0
    let connects = 0
    const onConnect = () => consuming++
    subscribe('tracing:plt:kafka:connections:connects:start', onConnect)
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as unknown as { detail?: { port?: number } }[])
        if (entry.detail?.port === broker.port) connects++
    })
    observer.observe({ entryTypes: ['net'] })
    identity.rotate(await workloadIdentity(authority))
    // Producer, group and fetches: each opens at least one connection with the new certificate.
    while (consuming < 2 || connects <= consuming) await publish()
    unsubscribe('tracing:plt:kafka:connections:connects:start', onConnect)
    observer.disconnect()
    await app.until((got) => got.length >= published)
    assert.equal(new Set(app.got.map(({ partition, offset }) => `${partition}:${offset}`)).size, published)
    assert.equal(app.got.length, published, 'nobody had to leave the group')
  } finally {
    await broker.stop(5_000)
    await rm(folder, { recursive: true, force: true })
  }
})

test('a workload that poses as the broker is not believed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'weft-mtls-'))
  const authority = await openCertificateAuthority({ stateDir: folder, trustDomain: 'weft.local', log })
  const identity = new Rotating(await workloadIdentity(authority))
  const { certificateChainPem: cert, privateKeyPem: key } = await workloadIdentity(authority)
  let bytes = 0
  const impostor = createServer({ cert, key }, (socket) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    socket.on('error', () => {})
  })
  impostor.listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  try {
    const server = `127.0.0.1:${(impostor.address() as AddressInfo).port}`
    const kafka = { bootstrapServers: [server], security: 'mtls' as const }
    await using bridge = await startBridge(snapshotOf([server], { kafka, topics: [topicEntry('orders')] }), {
      identity,
    })
    const headers = { 'weft-timeout-ms': '500' }
    const response = await fetch(`${bridge.url}/v1/topics/orders/events`, {
      method: 'POST',
      body: 'x',
      headers,
    })
    assert.equal(response.status, 503)
    assert.equal(bytes, 0)
  } finally {
    impostor.close()
    await rm(folder, { recursive: true, force: true })
  }
})
