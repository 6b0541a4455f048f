import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLocalJWKSet } from 'jose'
import type { Keys } from './jwks.ts'
import { KeySet } from './key-set.ts'

const MINUTE_MS = 60_000
const keysNamed = (kid: string): Keys => createLocalJWKSet({ keys: [{ kty: 'EC', kid }] })

/** An issuer that publishes `now.keys`, or is down where that is undefined, and a clock that a test sets. */
function given() {
  const now: { ms: number; keys: Keys | undefined } = { ms: 0, keys: keysNamed('1') }
  const seen = { reads: 0, failures: 0, changes: 0 }
  const set = new KeySet({
    name: 'default/accounts',
    async read() {
      seen.reads++
      if (now.keys === undefined) throw new Error('down')
      return now.keys
    },
    refreshMs: 10 * MINUTE_MS,
    maxStaleMs: 60 * MINUTE_MS,
    onKeys: () => void seen.changes++,
    onRead(error) {
      if (error !== undefined) seen.failures++
    },
    now: () => now.ms,
  })
  return { set, now, seen }
}

describe('a key set', () => {
  it('reads once for all who ask at the same time, and not again while it is fresh', async () => {
    const { set, now, seen } = given()
    await Promise.all([set.current(), set.current(), set.current()])
    now.ms = 9 * MINUTE_MS
    await set.current()
    assert.deepEqual(seen, { reads: 1, failures: 0, changes: 0 })
  })

  it('gives the old keys while it reads new ones, and says when these are others', async () => {
    const { set, now, seen } = given()
    const first = await set.current()
    now.ms = 11 * MINUTE_MS
    now.keys = keysNamed('2')
    assert.equal(await set.current(), first)
    await set.renewed()
    assert.equal(await set.current(), now.keys)
    assert.equal(seen.changes, 1)
  })

  it('reads again for a key that is missing, but not for each of many', async () => {
    const { set, now, seen } = given()
    await set.current()
    now.ms = MINUTE_MS
    now.keys = keysNamed('2')
    assert.equal(await set.renewed(), now.keys)
    for (let each = 0; each < 100; each++) await set.renewed()
    assert.equal(seen.reads, 2)
  })

  it('keeps what it has through an outage, up to a limit', async () => {
    const { set, now, seen } = given()
    const first = await set.current()
    now.keys = undefined
    for (now.ms = 11 * MINUTE_MS; now.ms < 60 * MINUTE_MS; now.ms += MINUTE_MS)
      assert.equal(await set.current(), first)
    await assert.rejects(set.current(), { code: 'unavailable' })
    assert.ok(seen.failures > 10)
  })

  it('without any key asks once a second, and gets in as soon as the issuer is back', async () => {
    const { set, now, seen } = given()
    now.keys = undefined
    for (let each = 0; each < 100; each++) await assert.rejects(set.current(), { code: 'unavailable' })
    assert.equal(seen.reads, 1)
    now.keys = keysNamed('1')
    now.ms += 1000
    assert.equal(await set.current(), now.keys)
  })
})
