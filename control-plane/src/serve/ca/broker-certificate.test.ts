import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { issueBrokerCertificate } from './broker-certificate.ts'
import { openAuthority, temporaryFolder } from './ca.test-support.ts'

const BROKER = {
  namespace: 'kafka',
  serviceAccount: 'broker',
  dnsNames: ['localhost', '::1'],
  ttlSeconds: 86_400,
}

test('a broker gets key, certificate with its names, and the root', async () => {
  await using folder = await temporaryFolder()
  const authority = await openAuthority(folder.path)
  const pair = await issueBrokerCertificate(authority, BROKER)
  const leaf = new X509Certificate(pair.certificatePem)
  assert.ok(leaf.verify(new X509Certificate(pair.trustBundlePem).publicKey))
  assert.equal(
    leaf.subjectAltName,
    'URI:spiffe://weft.local/ns/kafka/sa/broker, DNS:localhost, IP Address:0:0:0:0:0:0:0:1',
  )
  assert.match(pair.privateKeyPem, /^-----BEGIN PRIVATE KEY-----/)
})

test('names, times and the control plane’s own name are checked', async () => {
  await using folder = await temporaryFolder()
  const authority = await openAuthority(folder.path)
  for (const [change, reason] of [
    [{ dnsNames: ['a b'] }, /dnsNames: .* "a b"/],
    [{ dnsNames: ['x, URI:spiffe://weft.local/ns/a/sa/b'] }, /dnsNames/],
    [{ dnsNames: Array.from({ length: 33 }, () => 'a') }, /at most 32, came 33/],
    [{ ttlSeconds: 0, dnsNames: ['*.*'] }, /"\*\.\*"; ttlSeconds: .* came 0/],
    [{ ttlSeconds: Number.NaN }, /ttlSeconds/],
    [{ serviceAccount: 'A/../b' }, /not a service account/],
    [{ namespace: 'weft-system', serviceAccount: 'control-plane' }, /the control plane itself/],
  ] as const)
    await assert.rejects(issueBrokerCertificate(authority, { ...BROKER, ...change }), {
      code: 'invalid_resource',
      message: reason,
    })
})
