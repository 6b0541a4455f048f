import 'reflect-metadata'
import assert from 'node:assert/strict'
import { createPublicKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import { openAuthority, temporaryFolder } from '../ca/ca.test-support.ts'
import { callSign, clientContext, ORDERS, openClient, startControlPlane } from './grpc.test-support.ts'

async function newRequest(name = 'CN=anything') {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: algorithm })
  const spki = Buffer.from(await crypto.subtle.exportKey('spki', keys.publicKey))
  return { csrDer: new Uint8Array(request.rawData), spki }
}
const identityOf = (der: Uint8Array | undefined) => spiffeIdOf(new X509Certificate(der ?? new Uint8Array()))
const ORDERS_TOKEN = { namespace: 'default', serviceAccount: 'order-service' }

test('a join token without a certificate gives a certificate for the key of the request and the root', async () => {
  await using plane = await startControlPlane()
  const { token } = await plane.tokens.create(ORDERS_TOKEN)
  const { csrDer, spki } = await newRequest('CN=control-plane,OU=weft-system')
  using open = openClient(plane.address, await clientContext(plane.authority))
  const response = await callSign(open.client, { csrDer, joinToken: token })
  const leaf = new X509Certificate(response.certificateChainDer[0] ?? new Uint8Array())
  assert.deepEqual(spiffeIdOf(leaf), ORDERS)
  assert.ok(leaf.publicKey.equals(createPublicKey({ key: spki, format: 'der', type: 'spki' })))
  assert.deepEqual(response.trustBundleDer.map(Buffer.from), [Buffer.from(plane.authority.rootDer)])
  assert.equal(response.expiresAtUnixMs, BigInt(leaf.validToDate.getTime()))
})

test('a certificate without a token is renewed as itself, whatever the request claims', async () => {
  await using plane = await startControlPlane()
  const { csrDer } = await newRequest('CN=billing-service,OU=default,O=weft.local')
  using open = openClient(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  const response = await callSign(open.client, { csrDer })
  assert.deepEqual(identityOf(response.certificateChainDer[0]), ORDERS)
})

test('what a client writes into metadata names nobody', async () => {
  await using plane = await startControlPlane()
  const { csrDer } = await newRequest()
  using open = openClient(plane.address, await clientContext(plane.authority))
  const forged = new Metadata()
  for (const name of ['x-forwarded-client-cert', 'x-spiffe-id', 'ssl-peer-certificate'])
    forged.set(name, `URI=${ORDERS.uri}`)
  await assert.rejects(callSign(open.client, { csrDer }, forged), { code: status.UNAUTHENTICATED })
})

test('neither token nor certificate, and both, are refused with what to do', async () => {
  await using plane = await startControlPlane()
  const { token } = await plane.tokens.create(ORDERS_TOKEN)
  const { csrDer } = await newRequest()
  using nobody = openClient(plane.address, await clientContext(plane.authority))
  using orders = openClient(plane.address, await clientContext(plane.authority, { id: ORDERS }))
  await assert.rejects(callSign(nobody.client, { csrDer }), {
    code: status.UNAUTHENTICATED,
    details: /send a join token, or call with the certificate/,
  })
  await assert.rejects(callSign(orders.client, { csrDer, joinToken: token }), {
    code: status.INVALID_ARGUMENT,
    details: /or renew as spiffe:\/\/weft.local\/ns\/default\/sa\/order-service/,
  })
  // It was not consumed by that.
  await callSign(nobody.client, { csrDer, joinToken: token })
})

test('of many that join with one token at once, one gets a certificate', async () => {
  await using plane = await startControlPlane()
  const { token } = await plane.tokens.create(ORDERS_TOKEN)
  using open = openClient(plane.address, await clientContext(plane.authority))
  const outcomes = await Promise.allSettled(
    Array.from({ length: 12 }, async () =>
      callSign(open.client, { ...(await newRequest()), joinToken: token }),
    ),
  )
  assert.equal(outcomes.filter((one) => one.status === 'fulfilled').length, 1)
  for (const one of outcomes)
    if (one.status === 'rejected')
      assert.match(String(one.reason), /UNAUTHENTICATED: the join token was used/)
})

test('tokens that are forged or of another control plane are refused', async () => {
  await using plane = await startControlPlane()
  await using other = await startControlPlane()
  const foreign = await other.tokens.create(ORDERS_TOKEN)
  const { csrDer } = await newRequest()
  using open = openClient(plane.address, await clientContext(plane.authority))
  for (const joinToken of ['x', foreign.token, 'x'.repeat(100_000)])
    await assert.rejects(callSign(open.client, { csrDer, joinToken }), { code: status.UNAUTHENTICATED })
})

test('a request that is rubbish does not consume the token', async () => {
  await using plane = await startControlPlane()
  const { token } = await plane.tokens.create(ORDERS_TOKEN)
  using open = openClient(plane.address, await clientContext(plane.authority))
  for (const csrDer of [new Uint8Array(), Buffer.from('rubbish'), new Uint8Array(1_000_000)])
    await assert.rejects(callSign(open.client, { csrDer, joinToken: token }), {
      code: status.INVALID_ARGUMENT,
      details: /csr_der: expected/,
    })
  await callSign(open.client, { ...(await newRequest()), joinToken: token })
})

test('a message beyond the limit is refused before it is read', async () => {
  await using plane = await startControlPlane()
  using open = openClient(plane.address, await clientContext(plane.authority))
  await assert.rejects(callSign(open.client, { csrDer: new Uint8Array(5 * 1024 * 1024) }), {
    code: status.RESOURCE_EXHAUSTED,
  })
})

test('bytes that are no message, and a method that is none, are refused and leave the port as it was', async () => {
  await using plane = await startControlPlane()
  using open = openClient(plane.address, await clientContext(plane.authority))
  const raw = (path: string, bytes: Buffer) =>
    new Promise<number | undefined>((resolve) => {
      const same = (value: Buffer) => value
      open.client.makeUnaryRequest(path, same, same, bytes, (error) => resolve(error?.code))
    })
  const sign = '/weft.identity.v1.Certificates/Sign'
  assert.equal(await raw(sign, Buffer.from([0x0a, 0xff, 0xff, 0xff])), status.INTERNAL)
  assert.equal(await raw(sign, Buffer.alloc(0)), status.UNAUTHENTICATED)
  assert.equal(await raw('/weft.identity.v1.Certificates/Forge', Buffer.alloc(0)), status.UNIMPLEMENTED)
  const { token } = await plane.tokens.create(ORDERS_TOKEN)
  await callSign(open.client, { ...(await newRequest()), joinToken: token })
})

test('a certificate with our names from another root gets no connection', async () => {
  await using plane = await startControlPlane()
  await using elsewhere = await temporaryFolder()
  const sameName = await openAuthority(elsewhere.path)
  const { csrDer } = await newRequest()
  const foreign = await clientContext(plane.authority, { id: ORDERS, issuer: sameName })
  using open = openClient(plane.address, foreign)
  await assert.rejects(callSign(open.client, { csrDer }), { code: status.UNAVAILABLE })
})

test('an ended certificate gets no connection', async () => {
  await using plane = await startControlPlane()
  const { csrDer } = await newRequest()
  const ended = await clientContext(plane.authority, { id: ORDERS, ttlSeconds: -1 })
  using open = openClient(plane.address, ended)
  await assert.rejects(callSign(open.client, { csrDer }), { code: status.UNAVAILABLE })
})
