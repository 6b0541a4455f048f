import assert from 'node:assert/strict'
import { it } from 'node:test'
import { TokenBuckets } from './token-bucket.ts'

const buckets = () => new TokenBuckets({ requests: 10, periodMs: 1_000, burst: 5 })

it('a bucket holds its burst, and is refilled evenly up to it', () => {
  const limit = buckets()
  for (let n = 5; n > 0; n--) {
    assert.equal(limit.available('a', 0), n)
    limit.take('a', 0)
  }
  assert.equal(limit.available('a', 0), 0)
  assert.equal(limit.msUntil(1, 'a', 0), 100)
  assert.equal(limit.available('a', 150), 1.5)
  assert.equal(limit.msUntil(5, 'a', 150), 350)
  assert.equal(limit.available('a', 60_000), 5)
})

it('each key has a bucket of its own', () => {
  const limit = buckets()
  limit.take('a', 0)
  assert.deepEqual([limit.available('a', 0), limit.available('b', 0)], [4, 5])
})

it('a hundred thousand keys take no more room than ten thousand, and the one that is used stays', () => {
  const limit = buckets()
  for (let n = 0; n < 100_000; n++) {
    limit.take(`key-${n}`, n / 1_000)
    if (n % 1_000 === 0) limit.take('busy', n / 1_000)
  }
  assert.equal(limit.size, 10_000)
  assert.ok(limit.available('busy', 100) < 5)
  assert.equal(limit.available('key-0', 100), 5)
})
