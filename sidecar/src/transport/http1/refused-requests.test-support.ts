/** Requests that must be refused, and the status that says why: literal bytes, each a way in which two parsers disagree. */
export interface RefusedRequest {
  readonly name: string
  readonly bytes: string
  readonly status: number
}

const refused = (name: string, bytes: string, status = 400): RefusedRequest => ({ name, bytes, status })
const get = (lines: string): string => `GET / HTTP/1.1\r\nHost: server\r\n${lines}\r\n`
const post = (lines: string, body: string): string => `POST / HTTP/1.1\r\nHost: server\r\n${lines}\r\n${body}`
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body)

export const REFUSED_REQUESTS: readonly RefusedRequest[] = [
  // Framing
  refused(
    'Content-Length and Transfer-Encoding',
    post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  refused(
    'Transfer-Encoding and Content-Length',
    post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n'),
  ),
  refused('differing Content-Lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abcd')),
  refused('a repeated Content-Length', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')),
  refused('a list as Content-Length', post('Content-Length: 3, 3\r\n', 'abc')),
  refused('a plus sign in Content-Length', post('Content-Length: +3\r\n', 'abc')),
  refused('a minus sign in Content-Length', post('Content-Length: -3\r\n', 'abc')),
  refused('a space in Content-Length', post('Content-Length: 3 3\r\n', 'abc')),
  refused('hexadecimal Content-Length', post('Content-Length: 0x3\r\n', 'abc')),
  refused('an empty Content-Length', post('Content-Length:\r\n', '')),
  refused('a Content-Length beyond 2^53', post('Content-Length: 99999999999999999999\r\n', '')),
  refused('chunked twice in one field', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')),
  refused(
    'chunked in two fields',
    post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
  ),
  refused('an empty Transfer-Encoding', post('Transfer-Encoding:\r\n', '')),
  refused('a quoted coding', post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n')),
  refused('a vertical tab before chunked', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')),
  refused('another coding', post('Transfer-Encoding: gzip\r\n', ''), 501),
  refused('another coding before chunked', post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'), 501),
  refused('identity', post('Transfer-Encoding: identity\r\n', ''), 501),
  refused('xchunked', post('Transfer-Encoding: xchunked\r\n', ''), 501),
  refused(
    'Transfer-Encoding in HTTP/1.0',
    'POST / HTTP/1.0\r\nHost: server\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ),
  refused('a space before the colon of Content-Length', post('Content-Length : 3\r\n', 'abc')),
  refused(
    'a tab before the colon of Transfer-Encoding',
    post('Transfer-Encoding\t: chunked\r\n', '0\r\n\r\n'),
  ),
  // Lines
  refused('bare LF everywhere', 'GET / HTTP/1.1\nHost: server\n\n'),
  refused('bare LF after the request line', 'GET / HTTP/1.1\nHost: server\r\n\r\n'),
  refused('bare LF after a field', 'GET / HTTP/1.1\r\nHost: server\n\r\n'),
  refused('bare LF at the end of the head', 'GET / HTTP/1.1\r\nHost: server\r\n\n'),
  refused('bare CR in a value', get('X: a\rb\r\n')),
  refused('bare CR after the request line', 'GET / HTTP/1.1\rHost: server\r\n\r\n'),
  refused('CR CR LF', 'GET / HTTP/1.1\r\r\nHost: server\r\n\r\n'),
  refused('obs-fold', get('X: a\r\n b\r\n')),
  refused('obs-fold with a tab', get('X: a\r\n\tb\r\n')),
  refused('white space before the first field', 'GET / HTTP/1.1\r\n Host: server\r\n\r\n'),
  refused('white space before the request line', ' GET / HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('two empty lines before the request line', '\r\n\r\nGET / HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('NUL in a value', get('X: a\0b\r\n')),
  refused('DEL in a value', get('X: a\x7fb\r\n')),
  refused('a control in a value', get('X: a\x01b\r\n')),
  refused('NUL in a name', get('X\0Y: a\r\n')),
  refused('a space in a name', get('X Y: a\r\n')),
  refused('a letter beyond ASCII in a name', get('X\xe9: a\r\n')),
  refused('a field without a colon', get('nothing\r\n')),
  refused('a field without a name', get(': a\r\n')),
  // Request line
  refused('a method that is no token', 'G(T / HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('no method', ' / HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('two spaces after the method', 'GET  / HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('a tab after the method', 'GET\t/ HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('two spaces before the version', 'GET /  HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('a space after the version', 'GET / HTTP/1.1 \r\nHost: server\r\n\r\n'),
  refused('no version (HTTP/0.9)', 'GET /\r\n\r\n'),
  refused('a version in lower case', 'GET / http/1.1\r\nHost: server\r\n\r\n'),
  refused('a version of three parts', 'GET / HTTP/1.1.1\r\nHost: server\r\n\r\n'),
  refused('a target without a slash', 'GET x HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('a fragment in the target', 'GET /a#b HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('bytes beyond ASCII in the target', 'GET /\xe9 HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('an asterisk for GET', 'GET * HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('https in absolute form', 'GET https://server/ HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('user information in absolute form', 'GET http://a@server/ HTTP/1.1\r\nHost: server\r\n\r\n'),
  refused('HTTP/1.2', 'GET / HTTP/1.2\r\nHost: server\r\n\r\n', 505),
  refused('HTTP/3.0', 'GET / HTTP/3.0\r\nHost: server\r\n\r\n', 505),
  refused('the preface of HTTP/2 that goes on as something else', 'PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n', 505),
  // Host
  refused('no Host', 'GET / HTTP/1.1\r\nX: y\r\n\r\n'),
  refused('two Hosts', get('Host: server\r\n')),
  refused('an empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n'),
  refused('a Host with a path', 'GET / HTTP/1.1\r\nHost: server/x\r\n\r\n'),
  refused('a Host with user information', 'GET / HTTP/1.1\r\nHost: a@server\r\n\r\n'),
  refused('a list as Host', 'GET / HTTP/1.1\r\nHost: server, other\r\n\r\n'),
  // Others
  refused(
    'an upgrade with a body',
    get('Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n'),
  ),
  refused(
    'an upgrade with chunks',
    get('Connection: Upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n'),
  ),
  refused('an upgrade to no protocol', get('Connection: Upgrade\r\nUpgrade: web socket\r\n')),
  refused('an upgrade to one of several', get('Connection: Upgrade\r\nUpgrade: websocket, other\r\n'), 501),
  refused(
    'an upgrade by POST',
    'POST / HTTP/1.1\r\nHost: server\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
    501,
  ),
  refused('too many fields', get('x: y\r\n'.repeat(100)), 431),
  refused('too large a head', get(`x: ${'y'.repeat(33_000)}\r\n`), 431),
  refused('too long a request line', `GET /${'y'.repeat(33_000)} HTTP/1.1\r\nHost: server\r\n\r\n`, 431),
]

/** Requests whose head is right, and whose body is refused when it comes. */
export const REFUSED_BODIES: readonly RefusedRequest[] = [
  refused('an empty chunk size', chunked('\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size with 0x', chunked('0x3\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size with a plus sign', chunked('+3\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size with a minus sign', chunked('-3\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size after a space', chunked(' 3\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size before a space', chunked('3 \r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size that overflows', chunked('fffffffffffffffff\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size of many zeros', chunked('000000000000000003\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk size that is no number', chunked('xyz\r\nabc\r\n0\r\n\r\n')),
  refused('LF after a chunk size', chunked('3\nabc\r\n0\r\n\r\n')),
  refused('LF in a chunk extension', chunked('3;a\nabc\r\n0\r\n\r\n')),
  refused('bare CR in a chunk extension', chunked('3;a\rb\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk extension without a name', chunked('3;\r\nabc\r\n0\r\n\r\n')),
  refused('a second chunk extension without a name', chunked('3;a;\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk extension without its value', chunked('3;a=\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk extension with a quote that does not end', chunked('3;a="b\r\nabc\r\n0\r\n\r\n')),
  refused('white space in a chunk extension', chunked('3; a\r\nabc\r\n0\r\n\r\n')),
  refused('a chunk extension without end', chunked(`3;${'a'.repeat(300)}\r\nabc\r\n0\r\n\r\n`)),
  refused('a chunk that is longer than it said', chunked('3\r\nabcd\r\n0\r\n\r\n')),
  refused('no CR LF after a chunk', chunked('3\r\nabc0\r\n\r\n')),
  refused('LF after a chunk', chunked('3\r\nabc\n0\r\n\r\n')),
  refused('bare LF in trailers', chunked('0\r\nx: y\n\r\n')),
  refused('obs-fold in trailers', chunked('0\r\nx: y\r\n z\r\n\r\n')),
  refused('Transfer-Encoding: gzip in trailers', chunked('0\r\nTransfer-Encoding: gzip\r\n\r\n')),
  refused('too many trailers', chunked(`0\r\n${'x: y\r\n'.repeat(101)}\r\n`), 431),
]
