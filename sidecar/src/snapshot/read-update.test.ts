import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { UpdateSchema } from '@weft/schemas/proto'
import { readUpdate } from './read-update.ts'

const IDENTITY = 'spiffe://weft.local/ns/default/sa/order-service'
const SNAPSHOT = {
  version: 3,
  trustDomain: 'weft.local',
  workload: { identity: IDENTITY, namespace: 'default' },
  defaultAction: 'deny',
  samplingRatio: 0,
  services: [],
  policies: [],
  jwtProviders: [],
  topics: [],
  subscriptions: [],
}

const read = (json: Uint8Array | string, version = 3n) =>
  readUpdate(create(UpdateSchema, { version, snapshotJson: Buffer.from(json) }), IDENTITY)

test('a good update gives its snapshot', () => {
  assert.deepEqual(read(JSON.stringify(SNAPSHOT)), { snapshot: SNAPSHOT })
})

test('bytes that are no JSON, no UTF-8 or nothing are refused with a reason', () => {
  const text = JSON.stringify(SNAPSHOT)
  for (const json of ['', '{', text.slice(0, -1), `${text}x`, Buffer.from([0x22, 0xff, 0x22])]) {
    const result = read(json)
    assert.match('faults' in result ? result.faults.join() : '', /^snapshot_json: expected JSON in UTF-8/)
  }
})

test('a snapshot under another version, and one for somebody else, are refused with both reasons', () => {
  const other = 'spiffe://weft.local/ns/default/sa/billing-service'
  const value = { ...SNAPSHOT, workload: { identity: other, namespace: 'default' } }
  assert.deepEqual(read(JSON.stringify(value), 4n), {
    faults: [
      'version: expected 4, as around it, came 3',
      `workload.identity: expected ${IDENTITY}, which this sidecar is, came ${other}`,
    ],
  })
})
