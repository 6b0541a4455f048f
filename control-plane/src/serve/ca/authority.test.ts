import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import { spiffeId } from '@weft/schemas/spiffe'
import { newPublicKey, openAuthority, TRUST_DOMAIN, temporaryFolder } from './ca.test-support.ts'

const run = promisify(execFile)
const ORDERS = spiffeId(TRUST_DOMAIN, 'default', 'order-service')
const hasOpenssl = await run('openssl', ['version']).then(
  () => true,
  () => false,
)

test('the root is made once, kept in a file that only its owner reads, and found again', async () => {
  await using folder = await temporaryFolder()
  const first = await openAuthority(folder.path)
  const again = await openAuthority(folder.path)
  assert.equal(again.rootPem, first.rootPem)
  assert.deepEqual(await readdir(join(folder.path, 'ca')), ['root.pem'])
  assert.equal((await stat(join(folder.path, 'ca'))).mode & 0o777, 0o700)
  assert.equal((await stat(join(folder.path, 'ca', 'root.pem'))).mode & 0o777, 0o600)
  const root = new X509Certificate(first.rootDer)
  assert.equal(root.subjectAltName, 'URI:spiffe://weft.local')
  assert.ok(root.ca && root.verify(root.publicKey))
})

test('two that open the same new folder at once get one root', async () => {
  await using folder = await temporaryFolder()
  const opened = await Promise.all(Array.from({ length: 4 }, () => openAuthority(folder.path)))
  assert.equal(new Set(opened.map((authority) => authority.rootPem)).size, 1)
})

test('a leaf names its workload once in SAN and subject, is signed by the root and ends when it says', async () => {
  await using folder = await temporaryFolder()
  const authority = await openAuthority(folder.path)
  const publicKey = newPublicKey()
  const before = Date.now()
  const issued = await authority.issue({ spiffeId: ORDERS, publicKey, ttlSeconds: 3600 })
  const leaf = new X509Certificate(issued.certificateChainPem)
  const root = new X509Certificate(authority.rootDer)
  assert.deepEqual(spiffeIdOf(leaf), ORDERS)
  assert.equal(leaf.subject, 'O=weft.local\nOU=default\nCN=order-service')
  assert.ok(leaf.checkIssued(root) && leaf.verify(root.publicKey) && !leaf.ca)
  assert.deepEqual(leaf.publicKey.export({ type: 'spki', format: 'der' }), publicKey)
  assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.match(leaf.serialNumber, /^[4-7][0-9A-F]{31}$/)
  assert.deepEqual(leaf.validToDate, issued.expiresAt)
  assert.ok(issued.expiresAt.getTime() <= Date.now() + 3_600_000)
  assert.ok(leaf.validFromDate.getTime() <= before - 59_000)
  assert.deepEqual(issued.certificateChainDer, [new Uint8Array(leaf.raw)])
})

test('openssl verifies root and leaf, and prints the subject as Kafka does', {
  skip: !hasOpenssl,
}, async () => {
  await using folder = await temporaryFolder()
  const authority = await openAuthority(folder.path)
  const pair = await authority.issueWithKey({
    spiffeId: ORDERS,
    dnsNames: ['localhost', '127.0.0.1'],
    ttlSeconds: 60,
  })
  const [root, leaf] = [join(folder.path, 'root.crt'), join(folder.path, 'leaf.crt')]
  await Promise.all([writeFile(root, authority.rootPem), writeFile(leaf, pair.certificatePem)])
  for (const purpose of ['sslserver', 'sslclient'])
    await run('openssl', ['verify', '-x509_strict', '-purpose', purpose, '-CAfile', root, leaf])
  const { stdout } = await run('openssl', ['x509', '-in', leaf, '-noout', '-text', '-nameopt', 'RFC2253'])
  assert.match(stdout, /Subject: CN=order-service,OU=default,O=weft.local/)
  assert.match(stdout, /X509v3 Basic Constraints: critical\s+CA:FALSE/)
  assert.match(stdout, /X509v3 Key Usage: critical\s+Digital Signature\n/)
  assert.match(stdout, /URI:spiffe:.*order-service, DNS:localhost, IP Address:127.0.0.1/)
  assert.ok(new X509Certificate(pair.certificatePem).checkPrivateKey(createPrivateKey(pair.privateKeyPem)))
})

test('a name of another trust domain is not signed', async () => {
  await using folder = await temporaryFolder()
  const authority = await openAuthority(folder.path)
  const foreign = spiffeId('elsewhere', 'default', 'order-service')
  await assert.rejects(
    authority.issue({ spiffeId: foreign, publicKey: newPublicKey(), ttlSeconds: 60 }),
    RangeError,
  )
})

test('a leaf never ends after its root', async () => {
  await using folder = await temporaryFolder()
  const authority = await openAuthority(folder.path)
  const eleven = { spiffeId: ORDERS, publicKey: newPublicKey(), ttlSeconds: 11 * 365 * 86_400 }
  const { expiresAt } = await authority.issue(eleven)
  assert.deepEqual(expiresAt, new X509Certificate(authority.rootDer).validToDate)
})

test('a root that is not whole is an error that says what to do, and never replaced', async () => {
  await using folder = await temporaryFolder()
  await using other = await temporaryFolder()
  await Promise.all([openAuthority(folder.path), openAuthority(other.path)])
  const path = join(folder.path, 'ca', 'root.pem')
  const good = await readFile(path, 'utf8')
  const [key = ''] = /-----BEGIN PRIVATE[\s\S]+END PRIVATE KEY-----\n/.exec(good) ?? []
  const certificate = good.slice(key.length)
  const stranger = (await readFile(join(other.path, 'ca', 'root.pem'), 'utf8')).slice(key.length)
  for (const [content, reason] of [
    ['', /0 whole blocks "PRIVATE KEY"/],
    [key, /0 whole blocks "CERTIFICATE"/],
    [certificate, /0 whole blocks "PRIVATE KEY"/],
    [good.slice(0, -40), /0 whole blocks "CERTIFICATE"/],
    [key + certificate + certificate, /2 whole blocks "CERTIFICATE"/],
    [key + stranger, /its key is not that of its certificate/],
    [good.replace('CERTIFICATE-----\nM', 'CERTIFICATE-----\nA'), /cannot be read/],
  ] as const) {
    await writeFile(path, content)
    await assert.rejects(openAuthority(folder.path), (error: Error) => {
      assert.match(error.message, reason)
      assert.match(error.message, /Restore the file from a backup/)
      return true
    })
    assert.equal(await readFile(path, 'utf8'), content)
  }
  await writeFile(path, good)
  await assert.rejects(openAuthority(folder.path, 'elsewhere'), /not of trust domain elsewhere/)
})

test('an earlier root that has lost its file is an error, what a killed start left is cleared away', async () => {
  await using folder = await temporaryFolder()
  const ca = join(folder.path, 'ca')
  await mkdir(ca)
  await Promise.all(['.new-left-by-kill', '.new-in-use'].map((name) => writeFile(join(ca, name), 'half')))
  await utimes(join(ca, '.new-left-by-kill'), 0, 0)
  await openAuthority(folder.path)
  assert.deepEqual((await readdir(ca)).sort(), ['.new-in-use', 'root.pem'])
  await rm(join(ca, 'root.pem'))
  await writeFile(join(ca, 'root.pem.bak'), 'x')
  await assert.rejects(openAuthority(folder.path), /it is missing, but root.pem.bak/)
})

test('a root that others may read still opens', async () => {
  await using folder = await temporaryFolder()
  const { rootPem } = await openAuthority(folder.path)
  await chmod(join(folder.path, 'ca', 'root.pem'), 0o644)
  assert.equal((await openAuthority(folder.path)).rootPem, rootPem)
})
