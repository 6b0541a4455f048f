import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readRequests, readResponses } from './reading.test-support.ts'
import { REFUSED_BODIES, REFUSED_REQUESTS } from './refused-requests.test-support.ts'

const bytes = (text: string): Buffer[] => [Buffer.from(text, 'latin1')]
const request = (text: string) => {
  const { messages, error } = readRequests(bytes(text))
  assert.equal(error, undefined)
  assert.equal(messages.length, 1)
  return messages[0]
}
const response = (text: string, method = 'GET') => {
  const { messages, error } = readResponses(bytes(text), method)
  assert.equal(error, undefined)
  return messages
}

describe('a request', () => {
  it('is read with lower-case names and trimmed values', () => {
    const read = request(
      'GET /a?b=%20c HTTP/1.1\r\nHOST: server:80\r\nX-Some:  a b \t\r\nAccept:*/*\r\nEmpty:\r\n\r\n',
    )

    assert.deepEqual(read, {
      head: {
        method: 'GET',
        target: '/a?b=%20c',
        authority: 'server:80',
        fields: ['x-some', 'a b', 'accept', '*/*', 'empty', ''],
        length: 0,
      },
      body: '',
      isWhole: true,
      trailers: undefined,
    })
  })

  it('keeps bytes beyond ASCII in values', () => {
    assert.deepEqual(request('GET / HTTP/1.1\r\nHost: a\r\nX: \xe9\r\n\r\n')?.head.fields, ['x', '\xe9'])
  })

  it('loses what is meant for the hop, and what Connection names', () => {
    const read = request(
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\n' +
        'Proxy-Connection: keep-alive\r\nProxy-Authorization: secret\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\nTrailer: x\r\nKept: 1\r\n\r\n',
    )

    assert.deepEqual(read?.head.fields, ['kept', '1'])
  })

  it('in absolute form is for the authority of its target, whatever Host says', () => {
    const read = request('GET http://server:80/a?b HTTP/1.1\r\nHost: other\r\n\r\n')

    assert.equal(read?.head.authority, 'server:80')
    assert.equal(read.head.target, '/a?b')
    assert.equal(request('GET http://server HTTP/1.1\r\nHost: server\r\n\r\n')?.head.target, '/')
    assert.equal(request('GET http://server?q HTTP/1.1\r\nHost: server\r\n\r\n')?.head.target, '/?q')
    assert.equal(request('OPTIONS http://server HTTP/1.1\r\nHost: server\r\n\r\n')?.head.target, '*')
  })

  it('of HTTP/1.0 needs no Host', () => {
    assert.equal(request('GET / HTTP/1.0\r\n\r\n')?.head.authority, '')
  })

  it('may follow one empty line', () => {
    assert.equal(request('\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n')?.head.method, 'GET')
  })

  it('with Content-Length has that body', () => {
    assert.equal(request('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello')?.body, 'hello')
  })

  it('in chunks has their data and its trailers; extensions and forbidden trailers are dropped', () => {
    const read = request(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n' +
        '5;name="a b"\r\nhello\r\n00A\r\n, world 12\r\n0;last\r\nX-Sum: 7\r\nHost: b\r\nAuthorization: c\r\n\r\n',
    )

    assert.equal(read?.body, 'hello, world 12')
    assert.deepEqual(read.trailers, ['x-sum', '7'])
  })

  it('is followed by the next one in the same bytes', () => {
    const one = 'POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab'
    const two = 'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nc\r\n0\r\n\r\n'

    const { messages } = readRequests(bytes(one + two + one))

    assert.deepEqual(
      messages.map(({ head, body }) => [head.target, body]),
      [
        ['/1', 'ab'],
        ['/2', 'c'],
        ['/1', 'ab'],
      ],
    )
  })

  it('that is truncated is not whole', () => {
    assert.equal(request('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell')?.isWhole, false)
    assert.deepEqual(readRequests(bytes('GET / HTTP/1.1\r\nHost: a\r\n')).messages, [])
  })

  for (const { name, bytes: text, status } of [...REFUSED_REQUESTS, ...REFUSED_BODIES])
    it(`with ${name} is refused with ${status}`, () => {
      const { error } = readRequests(bytes(text))

      assert.equal(error?.row.http, status)
      assert.ok(error.row.close)
    })
})

describe('a response', () => {
  it('without a length goes on until the connection closes', () => {
    assert.equal(response('HTTP/1.1 200 OK\r\n\r\nabc')[0]?.body, 'abc')
    assert.equal(readResponses(bytes('HTTP/1.1 200 OK\r\n\r\nabc'), 'GET', false).messages[0]?.isWhole, false)
  })

  it('to HEAD, of 204 and of 304 has no body, whatever it announces', () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      const read = response(`HTTP/1.1 ${status} X\r\nContent-Length: 5\r\n\r\n`, method)
      assert.deepEqual([read.length, read[0]?.isWhole, read[0]?.head.length], [1, true, 5])
    }
  })

  it('may come after interim ones', () => {
    const read = response(
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na',
    )

    assert.deepEqual(
      read.map(({ head, body }) => [head.status, body]),
      [
        [100, ''],
        [103, ''],
        [200, 'a'],
      ],
    )
  })

  it('may have no reason, and no space before it', () => {
    assert.equal(response('HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n')[0]?.head.status, 200)
    assert.equal(response('HTTP/1.0 200\r\nContent-Length: 0\r\n\r\n')[0]?.head.status, 200)
  })

  for (const [name, text] of [
    ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['differing lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['chunks in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['obs-fold', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
    ['white space before it', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a bad chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n'],
  ] as const)
    it(`with ${name} is refused`, () => {
      assert.notEqual(readResponses(bytes(text)).error, undefined)
    })
})

describe('however the bytes are split', () => {
  const split = (text: string, cuts: readonly number[]): Buffer[] => {
    const whole = Buffer.from(text, 'latin1')
    const places = [0, ...cuts.map((cut) => cut % whole.length), whole.length].sort((a, b) => a - b)
    return places.slice(1).map((end, at) => whole.subarray(places[at] ?? 0, end))
  }
  const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/)
  const value = fc.stringMatching(/^[!-~]{1,8}( [!-~]{1,8})?$/)
  const field = fc.tuple(token, value).map(([name, text]) => `X-${name}: ${text}\r\n`)
  const body = fc.oneof(
    fc.constant('\r\n'),
    fc.stringMatching(/^[ -~]{0,40}$/).map((text) => `Content-Length: ${text.length}\r\n\r\n${text}`),
    fc.array(fc.stringMatching(/^[ -~]{1,20}$/), { maxLength: 4 }).map((chunks) => {
      const data = chunks.map((chunk) => `${chunk.length.toString(16)};e\r\n${chunk}\r\n`).join('')
      return `Transfer-Encoding: chunked\r\n\r\n${data}0\r\nT: 1\r\n\r\n`
    }),
  )
  const message = fc
    .tuple(token, fc.array(field, { maxLength: 5 }), body)
    .map(([method, fields, rest]) => `${method} /x HTTP/1.1\r\nHost: a\r\n${fields.join('')}${rest}`)
  const refused = fc
    .constantFrom(...REFUSED_REQUESTS.slice(0, -3), ...REFUSED_BODIES)
    .map((each) => each.bytes)
  const cuts = fc.array(fc.nat(), { maxLength: 12 })

  it('requests are read, or refused, the same', () => {
    const requests = fc.tuple(fc.array(message, { maxLength: 3 }), fc.option(refused, { nil: '' }))
    fc.assert(
      fc.property(requests, cuts, ([good, bad], places) => {
        const text = [...good, bad].join('')
        if (text === '') return
        const whole = readRequests(bytes(text))
        const pieces = readRequests(split(text, places))
        assert.deepEqual(pieces.messages, whole.messages)
        assert.equal(pieces.error?.message, whole.error?.message)
      }),
    )
  })

  it('heads at the limit are refused the same, byte by byte', () => {
    for (const { bytes: text } of REFUSED_REQUESTS.slice(-3)) {
      const whole = Buffer.from(text, 'latin1')
      const single = Array.from(whole, (_, at) => whole.subarray(at, at + 1))
      assert.equal(readRequests(single).error?.message, readRequests([whole]).error?.message)
    }
  })

  it('any bytes at all are read or refused, never thrown upon', () => {
    const noise = fc.stringMatching(/^[\r\n :;GETHP/1.0-9a-z\0]{0,200}$/)
    fc.assert(
      fc.property(noise, cuts, (text, places) => {
        if (text === '') return
        const whole = readRequests(bytes(text))
        assert.notEqual(whole.error?.code, 'internal')
        assert.equal(readRequests(split(text, places)).error?.message, whole.error?.message)
        assert.notEqual(readResponses(bytes(text)).error?.code, 'internal')
      }),
    )
  })
})
