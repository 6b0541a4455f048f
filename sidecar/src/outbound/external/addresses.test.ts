import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { describe, it } from 'node:test'
import { Addresses, type Resolution, systemResolve } from './addresses.ts'

const SECOND_MS = 1_000
const resolution = (address: string, ttlMs = 10 * SECOND_MS): Resolution => ({
  addresses: [{ address, family: 4 }],
  ttlMs,
})

function given() {
  const now: { ms: number; answer: Resolution | undefined } = { ms: 0, answer: resolution('203.0.113.1') }
  const seen = { asked: 0 }
  const addresses = new Addresses({
    host: 'api.example',
    async resolve() {
      seen.asked++
      if (now.answer === undefined) throw new Error('SERVFAIL')
      return now.answer
    },
    now: () => now.ms,
  })
  const first = async () => (await addresses.current())[0]?.address
  return { first, addresses, now, seen }
}

describe('the addresses of a name', () => {
  it('are asked for once while they are good, by all who ask at the same time', async () => {
    const { first, now, seen } = given()
    await Promise.all([first(), first(), first()])
    now.ms = 9 * SECOND_MS
    assert.equal(await first(), '203.0.113.1')
    assert.equal(seen.asked, 1)
  })

  it('are used while newer ones are on their way, unless they are old', async () => {
    const { first, now } = given()
    await first()
    now.answer = resolution('203.0.113.2')
    now.ms = 11 * SECOND_MS
    assert.equal(await first(), '203.0.113.1')
    assert.equal(await first(), '203.0.113.2')
    now.answer = resolution('203.0.113.3')
    now.ms = 200 * SECOND_MS
    assert.equal(await first(), '203.0.113.3')
  })

  it('hold while DNS fails, which is asked again after a pause', async () => {
    const { first, now, seen } = given()
    await first()
    now.answer = undefined
    now.ms = 3_600 * SECOND_MS
    for (let each = 0; each < 50; each++) assert.equal(await first(), '203.0.113.1')
    assert.equal(seen.asked, 2)
  })

  it('that were never there are an error, with what DNS said', async () => {
    const { addresses, now } = given()
    now.answer = undefined
    await assert.rejects(addresses.current(), /SERVFAIL/)
    now.answer = { addresses: [], ttlMs: 0 }
    now.ms = 10 * SECOND_MS
    await assert.rejects(addresses.current(), /no address for api\.example/)
  })

  it('come with the lifetime that the name server gives them', async () => {
    const server = createSocket('udp4')
    server.on('message', (query, { port, address }) => server.send(answerTo(query), port, address))
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
    const { addresses, ttlMs } = await systemResolve([`127.0.0.1:${server.address().port}`])('api.example')
    assert.deepEqual([addresses, ttlMs], [[{ address: '203.0.113.9', family: 4 }], 42_000])
    await new Promise<void>((resolve) => server.close(resolve))
  })

  it('of this host are those of the system', async () => {
    const { addresses } = await systemResolve(['127.0.0.1:1'])('localhost')
    assert.ok(addresses.some(({ address }) => address === '127.0.0.1' || address === '::1'))
  })
})

/** RFC 1035, section 4: the question again, and for A one record of 42 s. */
function answerTo(query: Buffer): Buffer {
  const end = query.indexOf(0, 12) + 5
  const isA = query.readUInt16BE(end - 4) === 1
  const head = Buffer.from(query.subarray(0, 12))
  head.writeUInt16BE(0x8180, 2)
  head.writeUInt16BE(isA ? 1 : 0, 6)
  head.writeUInt32BE(0, 8)
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 42, 0, 4, 203, 0, 113, 9])
  return Buffer.concat([head, query.subarray(12, end), ...(isA ? [record] : [])])
}
