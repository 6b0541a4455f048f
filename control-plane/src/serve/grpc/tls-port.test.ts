import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect, type TLSSocket } from 'node:tls'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import {
  clientContext,
  hello,
  ORDERS,
  openClient,
  openStream,
  startControlPlane,
  type TestControlPlane,
} from './grpc.test-support.ts'

const tcp = ({ grpc }: TestControlPlane): Socket =>
  connectTcp(grpc.port, '127.0.0.1').on('error', () => undefined)
const tls = ({ grpc }: TestControlPlane, options: object): TLSSocket =>
  connect({
    port: grpc.port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ALPNProtocols: ['h2'],
    ...options,
  }).on('error', () => undefined)

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve))

/** The port still serves. */
async function assertServes(plane: TestControlPlane): Promise<void> {
  using open = openClient(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  const stream = openStream(open.client)
  stream.send(hello())
  await stream.received(1)
}

test('the port shows its own name and the root that join tokens pin', async () => {
  await using plane = await startControlPlane()
  const socket = tls(plane, {})
  await once(socket, 'secureConnect')
  const leaf = socket.getPeerX509Certificate()
  const root = leaf?.issuerCertificate
  assert.equal(socket.getProtocol(), 'TLSv1.3')
  assert.equal(leaf && spiffeIdOf(leaf)?.uri, 'spiffe://weft.local/ns/weft-system/sa/control-plane')
  assert.deepEqual(root?.raw, Buffer.from(plane.authority.rootDer))
  const { token } = await plane.tokens.create({ namespace: 'default', serviceAccount: 'a' })
  assert.equal(
    token.split('.')[2],
    createHash('sha256')
      .update(root?.raw ?? '')
      .digest('base64url'),
  )
  socket.destroy()
})

test('garbage, plain HTTP, and a connection that ends at once leave the port as it was', async () => {
  await using plane = await startControlPlane()
  for (const bytes of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\u0016\u0003\u0001\u00ff\u00ff'.repeat(99),
  ]) {
    const socket = tcp(plane)
    socket.end(bytes)
    socket.resume()
    await closed(socket)
  }
  const gone = tcp(plane)
  await once(gone, 'connect')
  gone.resetAndDestroy()
  await assertServes(plane)
})

test('garbage inside TLS ends the connection', async () => {
  await using plane = await startControlPlane()
  const socket = tls(plane, {})
  await once(socket, 'secureConnect')
  socket.resume().write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(10))
  await closed(socket)
  await assertServes(plane)
})

test('a client that does not speak HTTP/2, or only an older TLS, is refused', async () => {
  await using plane = await startControlPlane()
  for (const options of [
    { ALPNProtocols: ['http/1.1'] },
    { ALPNProtocols: undefined },
    { maxVersion: 'TLSv1.2' },
  ]) {
    const socket = tls(plane, options)
    socket.resume()
    await closed(socket)
  }
  await assertServes(plane)
})

test('a handshake that stops half way is ended in time', async () => {
  await using plane = await startControlPlane({ handshakeTimeoutMs: 200 })
  const silent = tcp(plane)
  const half = tcp(plane)
  half.write(Buffer.from('16030100c0010000bc0303', 'hex'))
  for (const socket of [silent, half]) socket.resume()
  await Promise.all([closed(silent), closed(half)])
})

test('of too many handshakes at once the oldest is dropped, and a real client still gets in', async () => {
  await using plane = await startControlPlane({ handshakeTimeoutMs: 60_000 })
  const silent: Socket[] = []
  for (let count = 0; count < 257; count++) {
    const socket = tcp(plane)
    silent.push(socket.resume())
    await once(socket, 'connect')
  }
  await closed(silent[0] ?? assert.fail())
  await assertServes(plane)
  for (const socket of silent) socket.destroy()
})

test('the control plane renews its own certificate without closing the port', async () => {
  await using plane = await startControlPlane({ certificateTtlSeconds: 2 })
  const serials = new Set<string>()
  while (serials.size < 2) {
    const socket = tls(plane, {
      ca: plane.authority.rootPem,
      rejectUnauthorized: true,
      checkServerIdentity: () => undefined,
    })
    await once(socket, 'secureConnect')
    const leaf = socket.getPeerX509Certificate() ?? assert.fail()
    assert.ok(leaf.verify(new X509Certificate(plane.authority.rootDer).publicKey))
    serials.add(leaf.serialNumber)
    socket.destroy()
    await closed(socket)
  }
})

test('a connection ends with its certificate, also where nobody reads', async () => {
  await using plane = await startControlPlane()
  const socket = tls(plane, {
    secureContext: await clientContext(plane.authority, { id: ORDERS, ttlSeconds: 1 }),
  })
  await once(socket, 'secureConnect')
  socket.resume()
  await closed(socket)
})
