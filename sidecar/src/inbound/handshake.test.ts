import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import type { WorkloadIdentity } from '@weft/schemas/node/identity'
import { createAuthority } from '../listen/certificates.test-support.ts'
import { exchange, startPair } from '../outbound/pair.test-support.ts'

const credentials = (identity: WorkloadIdentity): ConnectionOptions => ({
  cert: identity.certificateChainPem,
  key: identity.privateKeyPem,
})

/** What comes back for a request with these credentials: empty where the caller is not let in. */
function ask(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
    let received = ''
    socket.on('secureConnect', () =>
      socket.write('GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n'),
    )
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
  })
}

describe('the inbound handshake', () => {
  it('lets a workload of the trust domain in', async () => {
    await using pair = await startPair()

    const received = await ask(pair.inbound.port, credentials(pair.clientIdentity.current()))

    assert.match(received, /^HTTP\/1\.1 200/)
  })

  it('refuses a caller without a certificate', async () => {
    let requests = 0
    await using pair = await startPair({ app: () => void requests++ })

    assert.equal(await ask(pair.inbound.port, {}), '')
    assert.equal(requests, 0)
    const rejected = await pair.metrics.counter('weft_http_rejected_total').get()
    assert.deepEqual(rejected.values[0]?.labels, { direction: 'inbound', code: 'WEFT2001' })
  })

  it('refuses a certificate of another authority, even with the right name', async () => {
    await using pair = await startPair()
    const foreign = await (await createAuthority()).issue('client')

    assert.equal(await ask(pair.inbound.port, credentials(foreign)), '')
  })

  it('refuses a certificate of another trust domain, even from the own authority', async () => {
    await using pair = await startPair()
    const other = await pair.authority.issue('client', { trustDomain: 'other.local' })

    assert.equal(await ask(pair.inbound.port, credentials(other)), '')
  })

  it('refuses TLS 1.2', async () => {
    await using pair = await startPair()
    const options = credentials(pair.clientIdentity.current())

    assert.equal(await ask(pair.inbound.port, { ...options, maxVersion: 'TLSv1.2' }), '')
  })

  it('refuses plain text', async () => {
    await using pair = await startPair()

    const received = await exchange(pair.inbound.port, 'GET / HTTP/1.1\r\nHost: server\r\n\r\n').catch(
      () => '',
    )

    assert.doesNotMatch(received, /HTTP/)
  })

  it('resumes no session: a certificate is proven on every connection', async () => {
    await using pair = await startPair()
    const options = credentials(pair.clientIdentity.current())
    const sessions: Buffer[] = []
    await new Promise<void>((resolve) => {
      const socket = connect({
        port: pair.inbound.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...options,
      })
      socket.on('session', (session) => sessions.push(session))
      socket.on('secureConnect', () =>
        socket.write('GET / HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n'),
      )
      socket.on('close', () => resolve())
      socket.resume()
    })
    const isReused = await new Promise<boolean>((resolve, reject) => {
      const [session] = sessions
      const socket = connect({
        port: pair.inbound.port,
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ...options,
        ...(session !== undefined && { session }),
      })
      socket.on('secureConnect', () => resolve(socket.isSessionReused()))
      socket.on('secureConnect', () => socket.destroy())
      socket.on('error', reject)
    })

    assert.equal(isReused, false)
  })

  it('holds for as long as the certificate: then the connection ends', async () => {
    await using pair = await startPair()
    const brief = await pair.authority.issue('client', { ttlMs: 2_000 })
    const socket = connect({
      port: pair.inbound.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ...credentials(brief),
    })
    await once(socket, 'secureConnect')
    socket.write('GET / HTTP/1.1\r\nHost: server\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]

    await once(socket, 'end')

    assert.match(answer.toString(), /^HTTP\/1\.1 200/)
    assert.ok(Date.now() >= brief.expiresAt.getTime())
    socket.destroy()
  })

  it('shows the new certificate after a rotation', async () => {
    await using pair = await startPair()
    const before = await serialOf(pair.inbound.port, pair.clientIdentity.current())

    pair.serverIdentity.rotate(await pair.authority.issue('server'))

    assert.notEqual(await serialOf(pair.inbound.port, pair.clientIdentity.current()), before)
  })
})

function serialOf(port: number, identity: WorkloadIdentity): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...credentials(identity) })
    socket.on('error', reject)
    socket.on('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '')
      socket.destroy()
    })
  })
}
