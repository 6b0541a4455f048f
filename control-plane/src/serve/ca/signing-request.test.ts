import 'reflect-metadata'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pkcs10CertificateRequestGenerator } from '@peculiar/x509'
import { MeshError } from '@weft/schemas/error'
import { ECDSA_P256, SIGNING } from './certificate.ts'
import { publicKeyOfRequest } from './signing-request.ts'

const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
}

async function requestOf(algorithm: typeof ECDSA_P256 | typeof RSA | { name: 'ECDSA'; namedCurve: 'P-384' }) {
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const signingAlgorithm = algorithm === RSA ? RSA : SIGNING
  const request = await Pkcs10CertificateRequestGenerator.create({ name: 'CN=root', keys, signingAlgorithm })
  return { der: new Uint8Array(request.rawData), spki: await crypto.subtle.exportKey('spki', keys.publicKey) }
}

test('the public key of a good request is given back', async () => {
  const { der, spki } = await requestOf(ECDSA_P256)
  assert.deepEqual(await publicKeyOfRequest(der), new Uint8Array(spki))
})

test('a request whose signature is of another key is refused', async () => {
  const [mine, other] = await Promise.all([requestOf(ECDSA_P256), requestOf(ECDSA_P256)])
  const forged = Buffer.from(mine.der)
  // The other public key in my request: what an attacker would do to get a certificate for a key he has not.
  const at = forged.indexOf(Buffer.from(new Uint8Array(mine.spki)))
  forged.set(new Uint8Array(other.spki), at)
  await assert.rejects(publicKeyOfRequest(forged), {
    code: 'invalid_request',
    message: /signed with its own key/,
  })
})

test('only keys on P-256 are signed', async () => {
  for (const algorithm of [RSA, { name: 'ECDSA', namedCurve: 'P-384' } as const]) {
    const { der } = await requestOf(algorithm)
    await assert.rejects(publicKeyOfRequest(der), { code: 'invalid_request', message: /ECDSA key on P-256/ })
  }
})

test('a truncated request is refused; with a byte changed it is refused, or still means the same key', async () => {
  const { der, spki } = await requestOf(ECDSA_P256)
  for (let length = 0; length < der.length; length++)
    await assert.rejects(publicKeyOfRequest(der.subarray(0, length)), { code: 'invalid_request' })
  for (let at = 0; at < der.length; at++) {
    const spoiled = Uint8Array.from(der)
    spoiled[at] = (spoiled[at] ?? 0) ^ 0x5a
    // The signature covers the key: only bytes outside of what is signed can change without harm.
    const outcome = await publicKeyOfRequest(spoiled).catch((error: unknown) => error)
    if (outcome instanceof MeshError) assert.equal(outcome.code, 'invalid_request')
    else assert.deepEqual(outcome, new Uint8Array(spki), `byte ${at}`)
  }
})

test('oversized, nested and textual rubbish is refused', async () => {
  const nested = new Uint8Array(4096).fill(0x30)
  for (const bytes of [nested, new Uint8Array(4097), Buffer.from('-----BEGIN CERTIFICATE REQUEST-----')])
    await assert.rejects(publicKeyOfRequest(bytes), { code: 'invalid_request' })
})
