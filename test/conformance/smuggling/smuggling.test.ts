/**
 * Every request of the corpus goes through both sidecars to a real server (node's, so llhttp), and straight to another one. Nothing that
 * was hidden may arrive but where the other server too sees a second request in the open, and the bytes that arrived have one meaning: the reader
 * of the sidecar, given what was tapped at the server, sees the requests that the server saw.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { portOf, startPair } from '../../../sidecar/src/outbound/pair.test-support.ts'
import { readRequests } from '../../../sidecar/src/transport/http1/reading.test-support.ts'
import { CORPUS, FIRST, SMUGGLED } from './corpus.ts'

/** A server that remembers what it was asked on each of its connections, and the bytes that it read it from. */
interface Witness {
  readonly server: Server
  readonly connections: readonly { readonly bytes: Buffer[]; readonly requests: string[] }[]
  /** Paths that it was asked for. */
  readonly paths: () => ReadonlySet<string>
}

function witness(): Witness {
  const connections = new Map<Socket, { readonly bytes: Buffer[]; readonly requests: string[] }>()
  const server = createServer((sent, answer) => {
    let body = ''
    sent.on('data', (chunk: Buffer) => (body += chunk.toString('latin1')))
    sent.on('end', () => {
      connections.get(sent.socket)?.requests.push(`${sent.method} ${sent.url} ${body}`)
      answer.end('answered')
    })
  })
  server.on('connection', (socket: Socket) => {
    const seen = { bytes: [] as Buffer[], requests: [] as string[] }
    connections.set(socket, seen)
    socket.on('data', (chunk: Buffer) => seen.bytes.push(chunk))
    socket.on('error', () => {})
  })
  return {
    server,
    get connections() {
      return [...connections.values()]
    },
    paths: () =>
      new Set(
        [...connections.values()].flatMap(({ requests }) => requests.map((line) => line.split(' ')[1] ?? '')),
      ),
  }
}

/** Complete by the letter, so that what follows is in the open; llhttp refuses them, or goes on with another protocol. */
const COMPLETE: ReadonlySet<string> = new Set([
  // RFC 9110, section 5.5: white space after a value is none of it.
  'TE.0 "Transfer-Encoding: chunked\\t"',
  // RFC 9110, section 6.5.1: trailers that must not be there are taken out.
  'trailer "Content-Length: 5"',
  'trailer "Transfer-Encoding: chunked"',
  // RFC 9110, section 7.8: an offer may be passed over.
  'upgrade "Connection: Upgrade\\r\\nUpgrade: h2c"',
])

const numbered = (path: string, index: number): string => path.replace('0000', String(index).padStart(4, '0'))
/** What has not come by then does not come: the other side waits for more of the request. */
const QUIET_MS = 150
const AT_ONCE = 24

/** Sends bytes, and resolves when the other side has closed, or has been quiet for a while. */
async function send(port: number, bytes: string): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.setTimeout(QUIET_MS, () => socket.destroy())
  socket.write(bytes, 'latin1')
  if (!socket.closed) await once(socket, 'close')
}

async function sendAll(port: number): Promise<void> {
  const left = [...CORPUS.entries()]
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [index, { bytes }] = next
        await send(
          port,
          bytes.replaceAll(FIRST, numbered(FIRST, index)).replaceAll(SMUGGLED, numbered(SMUGGLED, index)),
        )
      }
    }),
  )
}

test('of two thousand hidden requests none arrives, and what arrives has one meaning', async () => {
  const behind = witness()
  const direct = witness()
  await using pair = await startPair({ app: behind.server })
  direct.server.listen(0, '127.0.0.1')
  await once(direct.server, 'listening')
  try {
    await Promise.all([sendAll(pair.outbound.port), sendAll(portOf(direct.server))])
  } finally {
    direct.server.closeAllConnections()
    direct.server.close()
  }

  const arrived = behind.paths()
  const inTheOpen = direct.paths()
  const hidden = CORPUS.filter(({ name }, index) => {
    const path = numbered(SMUGGLED, index)
    if (!arrived.has(path) || COMPLETE.has(name)) return false
    return !(inTheOpen.has(path) && inTheOpen.has(numbered(FIRST, index)))
  })
  assert.deepEqual(
    hidden.map(({ name }) => name),
    [],
  )
  // That something arrives at all: the harmless ones among them.
  assert.ok(arrived.size > 100, `${arrived.size} requests arrived`)

  for (const { bytes, requests } of behind.connections) {
    const { messages, error } = readRequests([Buffer.concat(bytes)], false)
    assert.equal(error, undefined)
    const read = messages
      // Whether the bytes after an upgrade are another protocol says the answer, and here it says no.
      .filter(({ isWhole, head }) => isWhole || head.upgrade !== undefined)
      .map(({ head, body }) => `${head.method} ${head.target} ${body}`)
    assert.deepEqual(read.slice(0, requests.length), requests)
    assert.ok(read.length - requests.length <= 1, 'more was sent than the server saw')
  }
})
