import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import type { NamedPolicy } from '@weft/schemas/policy'
import { call } from '../outbound/calling.test-support.ts'
import { exchange, startPair } from '../outbound/pair.test-support.ts'

const GET = 'GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n'
const open = (from: NamedPolicy['rules'][number]['from']): NamedPolicy => ({
  name: 'open',
  namespace: 'default',
  target: { service: 'server' },
  action: 'allow',
  mode: 'enforce',
  rules: [{ ...(from !== undefined && { from }) }],
})

describe('an inbound listener of a permissive mesh', () => {
  it('takes plain text beside mTLS; its callers are anonymous for every policy', async () => {
    await using pair = await startPair({
      snapshot: { mtls: 'permissive', defaultAction: 'deny', policies: [open(undefined)] },
    })
    assert.match(await exchange(pair.inbound.port, GET), /^HTTP\/1\.1 403 /)
    assert.equal((await call(pair.outbound.port)).status, 200)

    pair.inboundSnapshots.change({ policies: [open([{ anonymous: true }])] })

    assert.match(await exchange(pair.inbound.port, GET), /^HTTP\/1\.1 200 /)
    assert.equal((await call(pair.outbound.port)).status, 403)
  })

  it('is strict again with the next connection after the Mesh says so', async () => {
    let isForwarded = false
    await using pair = await startPair({
      snapshot: { mtls: 'permissive' },
      app: (_, answer) => {
        isForwarded = true
        answer.end()
      },
    })

    pair.inboundSnapshots.change({ mtls: 'strict' })

    assert.doesNotMatch(await exchange(pair.inbound.port, GET).catch(() => ''), /HTTP/)
    assert.equal(isForwarded, false)
  })

  it('refuses bytes that are neither TLS nor HTTP where nobody knows which port they were meant for', async () => {
    const seen: string[] = []
    const app = createServer((socket) => socket.on('data', (chunk) => seen.push(chunk.toString())))
    await using pair = await startPair({ snapshot: { mtls: 'permissive' }, app })

    const received = await exchange(pair.inbound.port, '\x00\x00\x00\x08\x04\xd2\x16\x2f')

    assert.match(received, /^HTTP\/1\.1 400 /)
    assert.deepEqual(seen, [])
  })

  it('carries a captured plain connection to the tcp port that it was meant for', async () => {
    const app = createServer((socket) => socket.end('220 ready\r\n'))
    await using pair = await startPair({
      snapshot: { mtls: 'permissive' },
      app,
      inboundDestination: (appPort) => ({ address: '10.0.0.7', port: appPort }),
    })

    assert.equal(await exchange(pair.inbound.port, ''), '220 ready\r\n')
  })
})
