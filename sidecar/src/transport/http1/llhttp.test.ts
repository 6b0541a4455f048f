/** Our reader of requests beside Node's own parser (llhttp): what we accept llhttp accepts, and reads in the same way. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, METHODS } from 'node:http'
import { duplexPair } from 'node:stream'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { readRequests } from './reading.test-support.ts'
import { REFUSED_BODIES, REFUSED_REQUESTS } from './refused-requests.test-support.ts'

interface Read {
  readonly method: string | undefined
  readonly target: string | undefined
  readonly body: string
}

/** The first request as llhttp reads it; undefined where it refuses it, or does not find its end. */
async function readByNode(bytes: Buffer): Promise<Read | undefined> {
  const server = createServer({ insecureHTTPParser: false })
  const [near, far] = duplexPair()
  near.on('error', () => {}).resume()
  const read = new Promise<Read | undefined>((resolve) => {
    // Later: a whole request, after which comes one that is refused, is told to its listeners in the next turn.
    server.on('clientError', () => setImmediate(() => setImmediate(() => resolve(undefined))))
    server.on('connect', ({ method, url }: IncomingMessage) => resolve({ method, target: url, body: '' }))
    server.on('request', (message: IncomingMessage) => {
      let body = ''
      message.on('data', (chunk: Buffer) => {
        body += chunk.toString('latin1')
      })
      message.on('error', () => resolve(undefined))
      message.on('end', () => resolve({ method: message.method, target: message.url, body }))
    })
  })
  server.emit('connection', far)
  near.write(bytes)
  // In memory nothing takes longer than some turns of the loop.
  const given = (async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    return undefined
  })()
  const result = await Promise.race([read, given])
  far.destroy()
  near.destroy()
  return result
}

const SEEDS: readonly string[] = [
  'GET /a?b HTTP/1.1\r\nHost: server\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: server\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: server\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: y\r\n\r\n',
  ...[...REFUSED_REQUESTS, ...REFUSED_BODIES].map(({ bytes }) => bytes).filter((bytes) => bytes.length < 300),
]
const SPICE = [
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  '\0',
  ':',
  ',',
  ';',
  '0',
  '\x0b',
  '\x7f',
  '\xff',
  'chunked',
  'a',
]

/** A request with some of its bytes taken out, doubled or replaced. */
const mutated = fc
  .tuple(
    fc.constantFrom(...SEEDS),
    fc.array(fc.tuple(fc.nat(300), fc.nat(3), fc.constantFrom(...SPICE)), { maxLength: 4 }),
  )
  .map(([seed, edits]) =>
    edits.reduce((text, [place, removed, added]) => {
      const at = place % (text.length + 1)
      return text.slice(0, at) + added + text.slice(at + removed)
    }, seed),
  )

describe('a request that we accept', () => {
  it('is accepted by llhttp, with the same method, target and body', async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(mutated, async (text) => {
        const bytes = Buffer.from(text, 'latin1')
        const { messages, error } = readRequests([bytes], false)
        const [first] = messages
        // What follows a request is another one, which may be refused.
        if (error !== undefined || messages.length !== 1) return
        if (first?.isWhole !== true || first.head.method === 'CONNECT') return
        // Of methods llhttp knows a closed list; a new one is only unknown to it, not read otherwise.
        if (!METHODS.includes(first.head.method ?? '')) return
        // A tab behind a value is optional white space (RFC 9110, section 5.6.3), but not to llhttp; what is sent on has none.
        if (text.includes('\t\r\n')) return
        accepted++
        const theirs = await readByNode(bytes)
        const ours: Read = { method: first.head.method, target: first.head.target, body: first.body }
        assert.deepEqual(theirs, ours)
      }),
      { numRuns: 10_000 },
    )
    assert.ok(accepted > 100, `only ${accepted} were accepted`)
  })
})
