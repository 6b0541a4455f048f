import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { isIdentityHeader } from '@weft/schemas/identity-headers'
import { exchange, startPair } from '../outbound/pair.test-support.ts'

const FORGED =
  'X-Forwarded-Client-Cert: URI=spiffe://weft.local/ns/default/sa/admin\r\nx_forwarded_client_cert: a\r\nX-Weft-Peer: b\r\nX-WEFT-anything: c\r\n' +
  'X-Forwarded-User: d\r\nClient-Cert: e\r\nX-SSL-Client-Verify: SUCCESS\r\n'

async function seenByApp(request: string, plaintext: boolean): Promise<string> {
  let seen = ''
  const app = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      seen += chunk.toString('latin1')
      if (/0\r\n.*\r\n\r\n$|^GET.*\r\n\r\n$/s.test(seen)) socket.end('HTTP/1.1 204 No Content\r\n\r\n')
    })
  })
  await using pair = await startPair({ app, plaintext })
  await exchange(plaintext ? pair.inbound.port : pair.outbound.port, request)
  return seen
}

describe('identity headers', () => {
  it('of the caller are replaced by what the handshake proved', async () => {
    const seen = await seenByApp(
      `GET / HTTP/1.1\r\nHost: server\r\n${FORGED}Kept: x\r\nConnection: close\r\n\r\n`,
      false,
    )

    const names = seen
      .split('\r\n')
      .slice(1, -2)
      .map((line) => line.split(':')[0])
    assert.deepEqual(
      names.toSorted((a = '', b = '') => (a < b ? -1 : 1)),
      ['host', 'kept', 'traceparent', 'x-forwarded-client-cert'],
    )
    assert.match(seen, /x-forwarded-client-cert: URI=spiffe:\/\/weft\.local\/ns\/default\/sa\/client\r\n/)
  })

  it('are gone on the ingress, where nothing is proven', async () => {
    const seen = await seenByApp(
      `GET / HTTP/1.1\r\nHost: server\r\n${FORGED}X-Forwarded-For: 1.2.3.4\r\nConnection: close\r\n\r\n`,
      true,
    )

    const names = seen
      .split('\r\n')
      .slice(1, -2)
      .map((line) => line.split(':')[0])
    assert.deepEqual(
      names.toSorted((a = '', b = '') => (a < b ? -1 : 1)),
      ['host', 'traceparent', 'x-forwarded-for'],
    )
  })

  it('are no trailers either', async () => {
    const seen = await seenByApp(
      `POST / HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\n${FORGED}X-Sum: 7\r\n\r\n`,
      true,
    )

    assert.match(seen, /\r\n\r\n1\r\na\r\n0\r\nx-sum: 7\r\n\r\n$/)
  })

  it('cannot be named by Connection to get rid of the proven one', async () => {
    const seen = await seenByApp(
      'GET / HTTP/1.1\r\nHost: server\r\nConnection: close, x-forwarded-client-cert\r\n\r\n',
      false,
    )

    assert.match(seen, /x-forwarded-client-cert: URI=/)
  })

  it('are told from others by name', () => {
    for (const name of ['x-forwarded-client-cert', 'x_weft_a', 'x-weft-', 'client-cert', 'ssl-client-s-dn'])
      assert.ok(isIdentityHeader(name), name)
    for (const name of ['x-forwarded-for', 'x-weftish', 'cookie', 'authorization', 'forwarded'])
      assert.ok(!isIdentityHeader(name), name)
  })
})
