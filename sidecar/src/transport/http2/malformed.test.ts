import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startPair } from '../../outbound/pair.test-support.ts'
import { ERROR_CODE, FLAG, FRAME } from './protocol.ts'
import {
  type FieldList,
  frame,
  headers,
  RawConnection,
  requestFields,
  START,
} from './raw-frames.test-support.ts'

describe('what cannot be translated safely', () => {
  const pseudo = (name: string, value: string): FieldList =>
    requestFields().map(([known, was]) => [known, known === name ? value : was])
  /** An extended CONNECT (RFC 8441). */
  const upgrade = (protocol: string, more: FieldList = []): FieldList => [
    [':protocol', protocol],
    ...requestFields(more, 'CONNECT'),
  ]
  const without = (name: string): FieldList => requestFields().filter(([known]) => known !== name)
  for (const [what, fields] of [
    ['a field before :path', [['a', 'b'], ...requestFields()]],
    ['two :path', requestFields([[':path', '/other']])],
    ['no :method', without(':method')],
    ['no :scheme', without(':scheme')],
    ['no :path', without(':path')],
    ['no authority', without(':authority')],
    ['an unknown pseudo-header field', [...requestFields(), [':extra', '1']]],
    [':status in a request', requestFields([[':status', '200']])],
    ['a path with a space', pseudo(':path', '/a b')],
    ['a path with a fragment', pseudo(':path', '/a#b')],
    ['a path that is an address', pseudo(':path', 'http://server/')],
    ['a method with a space', pseudo(':method', 'GET /x')],
    ['an authority with a path', pseudo(':authority', 'server/x')],
    ['user information', pseudo(':authority', 'a@server')],
    ['another Host', requestFields([['host', 'other']])],
    [
      'two Hosts',
      requestFields([
        ['host', 'server'],
        ['host', 'server'],
      ]),
    ],
    ['Connection', requestFields([['connection', 'keep-alive']])],
    ['Keep-Alive', requestFields([['keep-alive', '1']])],
    ['Proxy-Connection', requestFields([['proxy-connection', 'keep-alive']])],
    ['Transfer-Encoding', requestFields([['transfer-encoding', 'chunked']])],
    ['Upgrade', requestFields([['upgrade', 'h2c']])],
    ['TE other than trailers', requestFields([['te', 'gzip']])],
    ['upper case', requestFields([['X-A', '1']])],
    ['CR LF in a value', requestFields([['x-a', '1\r\nx-b: 2']])],
    ['NUL in a value', requestFields([['x-a', '\0']])],
    ['white space before a value', requestFields([['x-a', ' 1']])],
    ['a space in a name', requestFields([['x a', '1']])],
    [
      'two Content-Length',
      requestFields([
        ['content-length', '0'],
        ['content-length', '0'],
      ]),
    ],
    ['Content-Length that is no number', requestFields([['content-length', '+0']])],
    [':protocol without CONNECT', [[':protocol', 'websocket'], ...requestFields()]],
    ['two :protocol', [[':protocol', 'websocket'], ...upgrade('websocket')]],
    [':protocol that is no name', upgrade('web socket')],
    [':protocol that is empty', upgrade('')],
    ['an extended CONNECT without :path', upgrade('websocket').filter(([name]) => name !== ':path')],
    ['an extended CONNECT with a length', upgrade('websocket', [['content-length', '0']])],
    ['Content-Length without a body', requestFields([['content-length', '1']])],
  ] as const satisfies readonly (readonly [string, FieldList])[])
    it(`is refused: ${what}`, async () => {
      let isForwarded = false
      await using pair = await startPair({
        plaintext: true,
        app() {
          isForwarded = true
        },
      })
      await using caller = new RawConnection(pair.inbound.port)
      caller.send(START, headers(1, fields))

      assert.equal(await caller.errorCode(FRAME.rstStream, 1), ERROR_CODE.protocol)
      assert.equal(isForwarded, false)
    })

  it('is refused: a body shorter or longer than Content-Length, and the app sees no end of it', async () => {
    const bodies: string[] = []
    await using pair = await startPair({
      plaintext: true,
      app: (sent) =>
        void sent
          .on('end', () => bodies.push('whole'))
          .on('error', () => {})
          .resume(),
    })
    await using caller = new RawConnection(pair.inbound.port)
    caller.send(START)
    for (const [id, body] of [
      [1, 'a'],
      [3, 'abc'],
    ] as const) {
      caller.send(
        headers(id, requestFields([['content-length', '2']], 'POST'), 0),
        frame(FRAME.data, FLAG.endStream, id, body),
      )
      assert.equal(await caller.errorCode(FRAME.rstStream, id), ERROR_CODE.protocol)
    }
    assert.deepEqual(bodies, [])
  })

  it('is told about: CONNECT', async () => {
    await using pair = await startPair({ plaintext: true })
    await using caller = new RawConnection(pair.inbound.port)
    caller.send(
      START,
      headers(1, [
        [':method', 'CONNECT'],
        [':authority', 'server:80'],
      ]),
    )

    assert.match((await caller.first(FRAME.headers, 1)).payload.toString('latin1'), /501/)
  })
})
