import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { serverProperties } from './broker-properties.ts'

const PLACE = { host: '127.0.0.1', port: 9092, controllerPort: 9093, logDir: '/data' }

test('without Java, Maven and a Docker engine the error names the three ways to get a broker', async (t) => {
  const empty = await mkdtemp(join(tmpdir(), 'weft-no-tools-'))
  t.after(() => rm(empty, { recursive: true, force: true }))
  const script = `
    import { startBroker } from ${JSON.stringify(join(import.meta.dirname, 'broker.ts'))}
    await startBroker({ dataDir: ${JSON.stringify(empty)} }).catch((error) => console.log(error.message))`

  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: empty, HOME: empty },
  })

  for (const way of ['KAFKA_BROKERS=', 'Java 17', 'Docker engine']) assert.ok(stdout.includes(way), stdout)
})

test('with certificates the listener wants one of every client, and the PEM texts stay on their lines', () => {
  const tls = { certificatePem: 'A\nB\n', privateKeyPem: 'K\nL\n', trustBundlePem: 'R\n' }
  const lines = serverProperties({ dataDir: '/data', tls }, PLACE).split('\n')

  assert.ok(lines.includes('ssl.client.auth=required'))
  assert.ok(lines.includes('ssl.keystore.key=K\\nL'))
  assert.ok(lines.includes('listener.security.protocol.map=CLIENT:SSL,CONTROLLER:PLAINTEXT'))
})

test('a property of the caller wins', () => {
  const properties = { 'auto.create.topics.enable': 'true' }
  assert.match(
    serverProperties({ dataDir: '/data', properties }, PLACE),
    /^auto\.create\.topics\.enable=true$/m,
  )
})
