import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HashKey } from '@weft/schemas/snapshot'
import { headOf } from '../request-head.test-support.ts'
import { counted, endpointOf, endpointsOf, filled, levelOf, withUser } from './endpoints.test-support.ts'
import { hashOn } from './hash-key.ts'
import { maglev } from './maglev.ts'
import { ringHash } from './ring-hash.ts'

const KEYS = 10_000
const byUser = hashOn([{ header: 'x-user' }], 'caller')

for (const [name, newPicker, tolerance] of [
  // 64 points: a standard deviation of an eighth of the share.
  ['ringHash', () => ringHash(byUser), 0.6],
  // Beside the share of the one that is gone a few entries change hands.
  ['maglev', () => maglev(byUser), 0.35],
] as const)
  describe(name, () => {
    it('sends a key to one endpoint, always and from every caller', () => {
      const endpoints = endpointsOf(10)
      const [picker, other] = [filled(newPicker(), endpoints), filled(newPicker(), [...endpoints])]
      for (let user = 0; user < 100; user++) {
        const chosen = picker.pick(withUser(user), undefined)
        assert.equal(picker.pick(withUser(user), undefined), chosen)
        assert.equal(other.pick(withUser(user), undefined), chosen)
      }
    })

    it('gives every endpoint about its share of the keys', () => {
      const picker = filled(newPicker(), endpointsOf(10))
      const counts = counted(KEYS, (user) => picker.pick(withUser(user), undefined))
      assert.equal(Object.keys(counts).length, 10)
      for (const count of Object.values(counts))
        assert.ok(Math.abs(count / (KEYS / 10) - 1) < tolerance, JSON.stringify(counts))
    })

    it('moves about the keys of the endpoint that is gone, and brings them back with it', () => {
      const endpoints = endpointsOf(10)
      const picker = filled(newPicker(), endpoints)
      const before = Array.from({ length: KEYS }, (_, user) => picker.pick(withUser(user), undefined))
      const ofGone = before.filter((endpoint) => endpoint === endpoints[3]).length

      picker.update(levelOf(endpoints.filter((_, index) => index !== 3)))

      const moved = before.filter((chosen, user) => picker.pick(withUser(user), undefined) !== chosen).length
      assert.ok(moved >= ofGone && moved <= ofGone + KEYS * 0.06, `${moved} of ${ofGone}`)
      picker.update(levelOf([...endpoints]))
      assert.deepEqual(
        before.map((_, user) => picker.pick(withUser(user), undefined)?.identity),
        before.map((chosen) => chosen?.identity),
      )
    })

    it('moves the keys of an endpoint that is ill, and no others', () => {
      const endpoints = endpointsOf(10)
      const picker = filled(newPicker(), endpoints)
      const before = Array.from({ length: KEYS }, (_, user) => picker.pick(withUser(user), undefined))
      const ill = endpointOf('endpoint-0')
      assert.equal(ill.key, endpoints[0]?.key)

      Object.assign(endpoints[0] ?? ill, { failedCheck: 'it answered 500' })
      picker.update({ ...levelOf(endpoints), members: endpoints })

      for (const [user, chosen] of before.entries()) {
        const now = picker.pick(withUser(user), undefined)
        assert.ok(chosen === endpoints[0] ? now !== chosen : now === chosen)
      }
    })

    it('follows weights', () => {
      const picker = filled(newPicker(), [endpointOf('heavy', { weight: 9 }), endpointOf('light')])
      const counts = counted(KEYS, (user) => picker.pick(withUser(user), undefined))
      assert.ok(Math.abs((counts.heavy ?? 0) / KEYS - 0.9) < 0.06, JSON.stringify(counts))
    })

    it('sends a retry elsewhere, and always to the same', () => {
      const picker = filled(newPicker(), endpointsOf(10))
      const first = picker.pick(withUser('alice'), undefined)
      const second = picker.pick(withUser('alice'), first)
      assert.notEqual(second, first)
      assert.equal(picker.pick(withUser('alice'), first), second)
    })

    it('has nothing to choose of none, and the only one of one, tried or not', () => {
      const only = endpointOf('only')
      assert.equal(filled(newPicker(), []).pick(withUser(1), undefined), undefined)
      assert.equal(filled(newPicker(), [only]).pick(withUser(1), only), only)
    })

    it('has nothing to choose where all are ill, and that is no panic', () => {
      const endpoints = endpointsOf(3)
      const picker = newPicker()
      picker.update({ members: endpoints, usable: [], isPanic: false })
      assert.equal(picker.pick(withUser(1), undefined), undefined)
    })

    it('holds 10,000 endpoints, and takes one out and in', () => {
      const endpoints = endpointsOf(10_000)
      const picker = filled(newPicker(), endpoints)
      picker.update(levelOf(endpoints.slice(1)))
      picker.update(levelOf(endpoints))
      const counts = counted(KEYS, (user) => picker.pick(withUser(user), undefined))
      assert.ok(Object.keys(counts).length > 4_000)
    })
  })

describe('the key of a request', () => {
  const hashes = (key: HashKey, ...heads: readonly Parameters<typeof headOf>[0][]) => {
    const hash = hashOn([key], 'caller')
    return heads.map((head) => hash(headOf(head)))
  }

  it('is a header, a cookie, a parameter of the query, or who calls', () => {
    for (const [key, one, same, other] of [
      [
        { header: 'x-a' },
        { fields: ['x-a', '1'] },
        { fields: ['b', '', 'x-a', '1'] },
        { fields: ['x-a', '2'] },
      ],
      [
        { cookie: 'id' },
        { fields: ['cookie', 'id=1; x=2'] },
        { fields: ['cookie', 'idx=7', 'cookie', 'x=2;id=1'] },
        { fields: ['cookie', 'id=2'] },
      ],
      [{ queryParameter: 'id' }, { target: '/?id=1' }, { target: '/a?x=2&id=1' }, { target: '/?xid=1&id=2' }],
    ] as const) {
      const [first, second, third] = hashes(key, one as object, same as object, other as object)
      assert.equal(first, second)
      assert.notEqual(first, third)
    }
    const [first, second] = hashes({ sourceIdentity: true }, { target: '/a' }, { target: '/b' })
    assert.equal(first, second)
  })

  it('is the first that is there, and drawn where none is', () => {
    const hash = hashOn([{ header: 'x-a' }, { header: 'x-b' }], 'caller')
    assert.equal(hash(headOf({ fields: ['x-b', '1'] })), hash(headOf({ fields: ['x-b', '2', 'x-a', '1'] })))
    assert.notEqual(hash(headOf({})), hash(headOf({})))
  })
})
