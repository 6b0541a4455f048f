/** The workload's own certificate all the way to the broker, and brokers that are not what they should be. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { IdentitySource, WorkloadIdentity } from '@weft/schemas/node/identity'
import { createLog } from '@weft/schemas/node/log'
import { spiffeId } from '@weft/schemas/spiffe'
import { API_VERSIONS } from '../../../broker-bridge/src/wire/18-api-versions.ts'
import {
  type CertificateAuthority,
  type IssuedKeyPair,
  openCertificateAuthority,
} from '../../../control-plane/src/serve/ca/index.ts'
import { RawClient } from './raw-client.ts'
import { allow, type Bridge, eventually, kafkaAt, startBridge, startWorld, type World } from './world.ts'

let folder: string
let authority: CertificateAuthority
let world: World

const openAuthority = (name: string) => {
  const log = createLog('mtls-test')
  log.level = 'silent'
  return openCertificateAuthority({ stateDir: join(folder, name), trustDomain: 'weft.local', log })
}

const issue = (from: CertificateAuthority, serviceAccount: string, dnsNames: readonly string[]) =>
  from.issueWithKey({
    spiffeId: spiffeId('weft.local', 'default', serviceAccount),
    dnsNames,
    ttlSeconds: 3_600,
  })

async function workload(serviceAccount: string): Promise<WorkloadIdentity> {
  const keys = await issue(authority, serviceAccount, [])
  return {
    spiffeId: spiffeId('weft.local', 'default', serviceAccount),
    certificateChainPem: keys.certificatePem,
    privateKeyPem: keys.privateKeyPem,
    trustBundlePem: keys.trustBundlePem,
    expiresAt: keys.expiresAt,
  }
}

/** An identity that is renewed when the test says so. */
class Identity implements IdentitySource {
  now: WorkloadIdentity
  constructor(first: WorkloadIdentity) {
    this.now = first
  }
  current = () => this.now
  onRotate = () => () => {}
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-mtls-'))
  authority = await openAuthority('mesh')
  // Nobody but the broker itself and the billing workload may do anything: the broker has to see who comes.
  const principals = ['CN=kafka,OU=default,O=weft.local', 'CN=billing-service,OU=default,O=weft.local']
  world = await startWorld({
    tls: await issue(authority, 'kafka', ['localhost', '127.0.0.1']),
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': [...principals, 'ANONYMOUS'].map((name) => `User:${name}`).join(';'),
    },
  })
  const own = await issue(authority, 'kafka', [])
  const ssl = { cert: own.certificatePem, key: own.privateKeyPem, ca: own.trustBundlePem }
  const admin = kafkaAt(world.broker.port, { ssl }).admin()
  await admin.connect()
  await admin.createTopics({ waitForLeaders: true, topics: [{ topic: 'orders', numPartitions: 1 }] })
  await admin.disconnect()
})

after(async () => {
  await world[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const anything = { ...allow('*', ['produce', 'consume'], ['*']), rules: [{}] }
const bridgeTo = (bootstrapServers: readonly string[], identity: IdentitySource): Promise<Bridge> =>
  startBridge(world, [anything], { identity, kafka: { bootstrapServers, security: 'mtls' } })

test('the broker sees the workload itself, and gives it what it gives nobody else', async () => {
  await using billing = await bridgeTo(
    world.broker.bootstrapServers,
    new Identity(await workload('billing-service')),
  )
  const producer = billing.kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const [written] = await producer.send({ topic: 'orders', messages: [{ value: 'x' }] })
  assert.equal(written?.errorCode, 0)
  await producer.disconnect()

  await using other = await bridgeTo(
    world.broker.bootstrapServers,
    new Identity(await workload('product-service')),
  )
  const stranger = other.kafka.producer({ retry: { retries: 0 } })
  await stranger.connect()
  await assert.rejects(stranger.send({ topic: 'orders', messages: [{ value: 'x' }] }), /authoriz/i)
  await stranger.disconnect()
  assert.equal(
    other.logged.some(({ msg }) => msg === 'refused by policy'),
    false,
  ) // it was the broker
})

/** A TLS endpoint that asks for a certificate and says nothing. */
async function endpoint(keys: IssuedKeyPair): Promise<AsyncDisposable & { address: string; server: Server }> {
  const server = createServer({
    cert: keys.certificatePem,
    key: keys.privateKeyPem,
    ca: authority.rootPem,
    requestCert: true,
    rejectUnauthorized: true,
  })
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    server,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close()
    },
  }
}

const askVersions = (client: RawClient) =>
  client.ask(API_VERSIONS, 0, { clientSoftwareName: '', clientSoftwareVersion: '', tags: [] })

const impostors = {
  'a workload of the mesh that took the address': { reason: 'peer_identity', isForeign: false, names: [] },
  'a certificate of another authority': { reason: 'connect_failed', isForeign: true, names: ['127.0.0.1'] },
}

for (const [who, { reason, isForeign, names }] of Object.entries(impostors)) {
  test(`${who} is not taken for the broker`, async () => {
    const from = isForeign ? await openAuthority('foreign') : authority
    await using impostor = await endpoint(await issue(from, 'product-service', names))
    await using bridge = await bridgeTo([impostor.address], new Identity(await workload('billing-service')))
    using client = await RawClient.connect(bridge.proxy.port)
    await assert.rejects(askVersions(client))
    assert.equal(await bridge.count('weft_kafka_closed_total', { reason }), 1)
  })
}

test('a new connection takes the renewed certificate, by a broker name that the certificate does not list', async () => {
  await using broker = await endpoint(await issue(authority, 'kafka', ['kafka.example']))
  const serials: string[] = []
  broker.server.on('secureConnection', (socket: TLSSocket) => {
    serials.push(socket.getPeerX509Certificate()?.serialNumber ?? 'none')
    socket.destroy()
  })
  const identity = new Identity(await workload('billing-service'))
  await using bridge = await bridgeTo([broker.address], identity)
  for (let round = 0; round < 2; round++) {
    using client = await RawClient.connect(bridge.proxy.port)
    await assert.rejects(askVersions(client))
    await eventually('the handshake', () => serials.length === round + 1)
    identity.now = await workload('billing-service')
  }
  assert.equal(new Set(serials).size, 2)
})
