import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import { publicKeyOfRequest } from '../../../control-plane/src/serve/ca/index.ts'
import { newKeyPair } from './key-pair.ts'

test('the request is accepted by the certificate authority and carries the public key', async () => {
  for (let round = 0; round < 50; round++) {
    const { privateKeyPem, signingRequest } = newKeyPair()
    const key = Buffer.from(await publicKeyOfRequest(signingRequest))
    const expected = createPublicKey(createPrivateKey(privateKeyPem).export({ type: 'pkcs8', format: 'pem' }))
    assert.ok(createPublicKey({ key, format: 'der', type: 'spki' }).equals(expected))
  }
})

test('openssl verifies the request', async (t) => {
  const { signingRequest } = newKeyPair()
  const outcome = await new Promise<string>((resolve) => {
    const args = ['req', '-inform', 'DER', '-verify', '-noout']
    const child = execFile('openssl', args, (_error, _stdout, stderr) => resolve(stderr))
    child.on('error', () => resolve('openssl is not installed'))
    child.stdin?.on('error', () => undefined).end(signingRequest)
  })
  if (outcome === 'openssl is not installed') t.skip(outcome)
  else assert.match(outcome, /verify OK/)
})
