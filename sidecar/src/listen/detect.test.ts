import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { detect, type Protocol } from './detect.ts'

const CLIENT_HELLO = Buffer.from('160301020001000001fc0303', 'hex')
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

const KNOWN: readonly (readonly [name: string, bytes: Buffer, protocol: Protocol])[] = [
  ['a request', bytes('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 'http1'],
  ['a request of HTTP/1.0', bytes('POST /x HTTP/1.0\r\n'), 'http1'],
  ['a request in absolute form', bytes('GET http://a/b?c HTTP/1.1\r\n'), 'http1'],
  ['CONNECT', bytes('CONNECT a:80 HTTP/1.1\r\n'), 'http1'],
  ['a method of its own', bytes('M-SEARCH * HTTP/1.1\r\n'), 'http1'],
  ['a request after an empty line', bytes('\r\nGET / HTTP/1.1\r\n'), 'http1'],
  ['a method that begins like the preface', bytes('PRINT / HTTP/1.1\r\n'), 'http1'],
  ['the preface of HTTP/2', bytes(PREFACE), 'http2'],
  ['the preface with its first frame', bytes(`${PREFACE}\0\0\0\x04\0`), 'http2'],
  ['a ClientHello', CLIENT_HELLO, 'tls'],
  ['another handshake message of TLS', Buffer.from('160303004a02', 'hex'), 'tcp'],
  ['a TLS alert', Buffer.from('15030100020228', 'hex'), 'tcp'],
  ['a startup message of PostgreSQL', Buffer.from('0000000804d2162f', 'hex'), 'tcp'],
  ['a command of Redis', bytes('*1\r\n$4\r\nPING\r\n'), 'tcp'],
  ['a line of SMTP', bytes('EHLO mail.example\r\n'), 'tcp'],
  ['a banner of SSH', bytes('SSH-2.0-x\r\n'), 'tcp'],
  ['a request of HTTP/0.9', bytes('GET /\r\n'), 'tcp'],
  ['a preface that goes wrong at its end', bytes(PREFACE.replace('SM', 'SN')), 'tcp'],
  ['a request line without an end', bytes(`GET /${'a'.repeat(9000)}`), 'tcp'],
  ['NUL', bytes('\0'), 'tcp'],
]

describe('the protocol of a connection', () => {
  for (const [name, begin, protocol] of KNOWN)
    it(`is ${protocol} for ${name}`, () => assert.equal(detect(begin), protocol))

  it('is the same however its first bytes were split', () => {
    for (const [name, begin, protocol] of KNOWN)
      for (let length = 0; length < Math.min(begin.length, 64); length++) {
        const early = detect(begin.subarray(0, length))
        assert.ok(early === undefined || early === protocol, `${name}, ${length} bytes: ${early}`)
      }
  })

  it('is not decided by a begin that several share', () => {
    for (const begin of [
      '',
      'P',
      'PR',
      'PRI * HTTP/2.0',
      'GET',
      'GET ',
      'GET / HT',
      '\r',
      '\x16',
      '\x16\x03',
    ])
      assert.equal(detect(bytes(begin)), undefined, JSON.stringify(begin))
  })

  it('is decided at some time for whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8192, maxLength: 8192 }), (came) => {
        assert.notEqual(detect(Buffer.from(came)), undefined)
      }),
      { numRuns: 50 },
    )
  })

  it('once decided, stays what it is with more bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (first, more) => {
        const early = detect(Buffer.from(first))
        if (early !== undefined) assert.equal(detect(Buffer.from([...first, ...more])), early)
      }),
    )
  })
})
