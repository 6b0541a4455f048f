import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { createMetrics } from '@weft/schemas/node/metrics'
import { spiffeId } from '@weft/schemas/spiffe'
import {
  joined,
  listeningLog,
  newToken,
  ORDERS_URI,
  openAuthority,
  startControlPlane,
  temporaryFolder,
} from './control-plane.test-support.ts'
import { renewalDelayMs, startIdentity } from './identity.ts'
import type { RunningIdentity } from './index.ts'

const rotated = (identity: RunningIdentity): Promise<void> =>
  new Promise((resolve) => {
    const end = identity.onRotate(() => {
      end()
      resolve()
    })
  })

test('a token brings an identity that the root has signed, and the gauge shows its end', async () => {
  await using plane = await startControlPlane()
  const metrics = createMetrics()
  using identity = await joined(plane, metrics)
  const { spiffeId: id, certificateChainPem, trustBundlePem, expiresAt, privateKeyPem } = identity.current()
  assert.equal(id.uri, ORDERS_URI)
  assert.equal(identity.controlPlaneRootPem, plane.authority.rootPem)
  assert.equal(trustBundlePem, plane.authority.rootPem)
  const leaf = new X509Certificate(certificateChainPem)
  assert.ok(leaf.verify(new X509Certificate(plane.authority.rootDer).publicKey))
  assert.match(privateKeyPem, /BEGIN PRIVATE KEY/)
  assert.deepEqual(identity.state(), { state: 'valid' })
  assert.match(
    await metrics.registry.metrics(),
    new RegExp(`weft_certificate_expiry_seconds ${expiresAt.getTime() / 1000}\n`),
  )
})

test('renewal comes at half-life, with a new key and the same name, again and again', async () => {
  await using plane = await startControlPlane({ certificateTtlSeconds: 3 })
  using identity = await joined(plane)
  const keys = new Set([identity.current().privateKeyPem])
  for (let round = 0; round < 2; round++) {
    await rotated(identity)
    keys.add(identity.current().privateKeyPem)
    assert.equal(identity.current().spiffeId.uri, ORDERS_URI)
    assert.ok(identity.current().expiresAt.getTime() > Date.now() + 1_000)
  }
  assert.equal(keys.size, 3)
})

test('renewal is due at half of what is left, give or take a tenth', () => {
  assert.equal(renewalDelayMs(3_600_000, 0.5), 1_800_000)
  assert.equal(Math.round(renewalDelayMs(3_600_000, 0)), 1_620_000)
  assert.equal(Math.round(renewalDelayMs(3_600_000, 1)), 1_980_000)
  assert.equal(renewalDelayMs(-5), 0)
  assert.equal(renewalDelayMs(1e15), 2 ** 31 - 1)
})

test('a control plane that is not there is waited for, each try says where and why', async () => {
  await using plane = await startControlPlane()
  const joinToken = await newToken(plane)
  const { log, line } = listeningLog()
  let identity: RunningIdentity | undefined
  await plane.restart(async () => {
    const starting = startIdentity({ controlPlane: plane.address, joinToken, log, metrics: createMetrics() })
    const said = await line(/cannot join yet/)
    assert.equal(said.controlPlane, plane.address)
    assert.match(String(said.reason), /ECONNREFUSED/)
    assert.equal(typeof said.nextTryMs, 'number')
    void starting.then((running) => (identity = running))
  })
  await line(/joined the mesh/)
  while (identity === undefined) await new Promise(setImmediate)
  assert.equal(identity.current().spiffeId.uri, ORDERS_URI)
  identity.close()
})

test('waiting to join ends when it is told to', async () => {
  await using plane = await startControlPlane()
  const joinToken = await newToken(plane)
  await plane.stop()
  const { log, line } = listeningLog()
  const giveUp = new AbortController()
  const { signal } = giveUp
  const starting = startIdentity({
    controlPlane: plane.address,
    joinToken,
    log,
    metrics: createMetrics(),
    signal,
  })
  void line(/cannot join yet/).then(() => giveUp.abort())
  await assert.rejects(starting, { name: 'AbortError' })
})

test('a token that was used, has ended, is forged or is none is final, and the error says how to get one', async () => {
  await using plane = await startControlPlane()
  const used = await newToken(plane)
  const start = (joinToken: string) =>
    startIdentity({
      controlPlane: plane.address,
      joinToken,
      log: listeningLog().log,
      metrics: createMetrics(),
    })
  ;(await start(`${used}\n`)).close()
  const forged = used.replace(/\.[\w-]{43}\./, `.${'A'.repeat(43)}.`)
  for (const [token, reason] of [
    [used, /was used already; make a new one with POST \/api\/v1\/join-tokens/],
    [forged, /is unknown/],
    ['', /expected a join token/],
    ['x'.repeat(100_000), /expected a join token/],
  ] as const)
    await assert.rejects(start(token), { code: 'unauthenticated', message: reason })
})

test('another root than the pinned one gets no token', async () => {
  await using plane = await startControlPlane()
  await using impostor = await startControlPlane()
  const joinToken = await newToken(plane)
  const { log } = listeningLog()
  const metrics = createMetrics()
  await assert.rejects(startIdentity({ controlPlane: impostor.address, joinToken, log, metrics }), {
    code: 'peer_identity',
    message: /shows another root than the one that the join token was made with/,
  })
  // The secret was not told: the token is still good.
  ;(await startIdentity({ controlPlane: plane.address, joinToken, log, metrics })).close()
})

test('a workload of the mesh that poses as the control plane gets no token', async () => {
  await using plane = await startControlPlane()
  const joinToken = await newToken(plane)
  const billing = spiffeId('weft.local', 'default', 'billing-service')
  const pair = await plane.authority.issueWithKey({ spiffeId: billing, ttlSeconds: 60 })
  const heard: Buffer[] = []
  const cert = pair.certificatePem + plane.authority.rootPem
  const server = createTlsServer({ key: pair.privateKeyPem, cert, ALPNProtocols: ['h2'] }, (socket) =>
    socket.on('data', (bytes: Buffer) => heard.push(bytes)),
  )
  const address = await listening(server)
  const { log } = listeningLog()
  await assert.rejects(startIdentity({ controlPlane: address, joinToken, log, metrics: createMetrics() }), {
    code: 'peer_identity',
    message: /names URI:spiffe:\/\/weft.local\/ns\/default\/sa\/billing-service, not a control plane/,
  })
  assert.deepEqual(heard, [])
  server.close()
})

test('a root that is shown but has not signed the leaf is no proof', async () => {
  await using plane = await startControlPlane()
  await using folder = await temporaryFolder()
  const other = await openAuthority(folder.path)
  const joinToken = await newToken(plane)
  const id = spiffeId('weft.local', 'weft-system', 'control-plane')
  const pair = await other.issueWithKey({ spiffeId: id, ttlSeconds: 60 })
  const cert = pair.certificatePem + plane.authority.rootPem
  const server = createTlsServer({ key: pair.privateKeyPem, cert, ALPNProtocols: ['h2'] })
  const address = await listening(server)
  const { log } = listeningLog()
  await assert.rejects(startIdentity({ controlPlane: address, joinToken, log, metrics: createMetrics() }), {
    code: 'peer_identity',
  })
  server.close()
})

test('something else on the port, or nothing that answers, is tried again and not joined', async () => {
  await using plane = await startControlPlane()
  const joinToken = await newToken(plane)
  const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const controlPlane = await listening(server)
  const { log, line } = listeningLog()
  const giveUp = new AbortController()
  const { signal } = giveUp
  const starting = startIdentity({ controlPlane, joinToken, log, metrics: createMetrics(), signal })
  void line(/cannot join yet/).then(() => giveUp.abort())
  await assert.rejects(starting, { name: 'AbortError' })
  server.close()
})

test('a renewal that fails is tried until it succeeds, and the state tells', async () => {
  await using plane = await startControlPlane({ certificateTtlSeconds: 6 })
  const { log, line } = listeningLog()
  const joinToken = await newToken(plane)
  const identity = await startIdentity({
    controlPlane: plane.address,
    joinToken,
    log,
    metrics: createMetrics(),
  })
  const first = identity.current()
  await plane.restart(async () => {
    await line(/cannot renew the certificate yet/)
    const state = identity.state()
    assert.equal(state.state, 'renewal-failing')
    assert.equal(identity.current(), first)
  })
  await rotated(identity)
  assert.deepEqual(identity.state(), { state: 'valid' })
  identity.close()
})

test('a certificate that ended is an error that says what to do', async () => {
  await using plane = await startControlPlane({ certificateTtlSeconds: 2 })
  const { log, line } = listeningLog()
  const joinToken = await newToken(plane)
  const identity = await startIdentity({
    controlPlane: plane.address,
    joinToken,
    log,
    metrics: createMetrics(),
  })
  await plane.stop()
  await line(/ended before the control plane at .* restart the sidecar with a new join token/)
  assert.equal(identity.state().state, 'expired')
  identity.close()
})

test('a listener that throws does not keep the others from the new identity', async () => {
  await using plane = await startControlPlane({ certificateTtlSeconds: 2 })
  using identity = await joined(plane)
  identity.onRotate(() => {
    throw new Error('broken')
  })
  await rotated(identity)
})

async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  server.on('connection', (socket: Socket) => socket.on('error', () => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  return `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
}
