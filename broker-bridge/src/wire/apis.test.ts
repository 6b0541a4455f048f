import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import fc from 'fast-check'
import { PRODUCE, producedLayout, produceLayout } from './00-produce.ts'
import { fetchedLayout, fetchLayout } from './01-fetch.ts'
import { API_VERSIONS } from './18-api-versions.ts'
import {
  type Api,
  type BodyPlace,
  decodeRequest,
  decodeResponse,
  encodeResponse,
  readRequestHeader,
  responseBodyAt,
  withBody,
} from './api.ts'
import { APIS } from './apis.ts'
import { batches } from './record-batch.ts'
import { visitRecords } from './records.ts'
import { Writer } from './writer.ts'

/** Frames that real clients and a real broker (4.3) sent through the proxy. */
interface Recorded {
  readonly client: string
  readonly kind: 'request' | 'response'
  readonly key: number
  readonly version: number
  readonly hex: string
}
const recorded = JSON.parse(
  readFileSync(new URL('./fixtures/frames.json', import.meta.url), 'utf8'),
) as readonly Recorded[]

const apiOf = ({ key }: Recorded): Api => {
  const api = APIS.get(key)
  assert.ok(api)
  return api
}

function placeOf(entry: Recorded, frame: Buffer): BodyPlace {
  const api = apiOf(entry)
  const bodyAt =
    entry.kind === 'request'
      ? readRequestHeader(frame, api).bodyAt
      : responseBodyAt(frame, api, entry.version)
  return { version: entry.version, bodyAt }
}

const decode = (entry: Recorded, frame: Buffer): unknown =>
  entry.kind === 'request'
    ? decodeRequest(apiOf(entry), frame, placeOf(entry, frame))
    : decodeResponse(apiOf(entry), frame, placeOf(entry, frame))

test('decode, then encode, is the identity on what kafkajs, librdkafka and Java clients send and get', () => {
  for (const entry of recorded) {
    const api = apiOf(entry)
    const frame = Buffer.from(entry.hex, 'hex')
    const codec = entry.kind === 'request' ? api.request : api.response
    const back = withBody(api, codec, frame, { ...placeOf(entry, frame), message: decode(entry, frame) })
    // librdkafka sends bytes after the message; they belong to nobody.
    assert.equal(
      entry.hex.slice(8).startsWith(back.toString('hex', 4)),
      true,
      `${entry.client} ${api.name} ${entry.version} ${entry.kind}`,
    )
  }
})

test('a tagged field that nobody here knows survives', () => {
  const body = '0000' + '01' + '00000000' + '01' + '63' + '03' + 'aabbcc' // one tag, number 99, three bytes
  const frame = Buffer.from(`0000001000000007${body}`, 'hex')
  const place = { version: 3, bodyAt: 8 }
  const message = decodeResponse(API_VERSIONS, frame, place)
  assert.deepEqual(message.tags, [{ tag: 99, bytes: Buffer.from('aabbcc', 'hex') }])
  assert.equal(
    withBody(API_VERSIONS, API_VERSIONS.response, frame, { ...place, message }).toString('hex', 8),
    body,
  )
})

test('the answer to ApiVersions has the old header at every version', () => {
  const message = { errorCode: 0, apiKeys: [], throttleTimeMs: 0, tags: [] }
  const frame = encodeResponse(API_VERSIONS, { version: 3, correlationId: 5, message })
  assert.equal(frame.toString('hex'), '0000000c00000005000001000000' + '0000')
})

/** Everything that ever looks at bytes from outside. */
function readAll(entry: Recorded, frame: Buffer): void {
  decode(entry, frame)
  const place = placeOf(entry, frame)
  if (entry.key === 0 && entry.kind === 'request') {
    for (const { partitions } of produceLayout(frame, place).topics)
      for (const { recordsFrom, recordsTo } of partitions)
        for (const batch of batches(frame, recordsFrom, recordsTo))
          visitRecords(frame, batch, Buffer.from('traceparent'), () => {})
  }
  if (entry.key === 0 && entry.kind === 'response') producedLayout(frame, place)
  if (entry.key === 1 && entry.kind === 'request') fetchLayout(frame, place)
  if (entry.key === 1 && entry.kind === 'response') fetchedLayout(frame, place)
}

test('truncated and changed frames are read, or refused with the one error; nothing else, and no endless loop', () => {
  const change = fc.record({
    entry: fc.constantFrom(...recorded),
    length: fc.double({ min: 0, max: 1, noNaN: true }),
    edits: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
      maxLength: 4,
    }),
  })
  fc.assert(
    fc.property(change, ({ entry, length, edits }) => {
      const whole = Buffer.from(entry.hex, 'hex')
      const frame = Buffer.from(whole.subarray(0, 8 + Math.floor(length * (whole.length - 8))))
      for (const [at, byte] of edits) frame[4 + Math.floor(at * (frame.length - 4))] = byte
      try {
        readAll(entry, frame)
      } catch (error) {
        assert.ok(error instanceof MeshError && error.code === 'invalid_request', String(error))
      }
    }),
    { numRuns: 3_000 },
  )
})

test('the layout of a Produce request finds the records that the codec finds', () => {
  for (const entry of recorded.filter(({ key, kind }) => key === 0 && kind === 'request')) {
    const frame = Buffer.from(entry.hex, 'hex')
    const place = placeOf(entry, frame)
    const layout = produceLayout(frame, place)
    const message = decodeRequest(apiOf(entry), frame, place) as {
      topics: { name: string; partitions: { index: number; records: Buffer }[] }[]
    }
    assert.deepEqual(
      layout.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index, recordsFrom, recordsTo }) => ({
          index,
          records: frame.subarray(recordsFrom, recordsTo),
        })),
      })),
      message.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index, records }) => ({ index, records })),
      })),
    )
  }
})

test('the layout of a Produce answer says what the codec says, at every version', () => {
  const topicId = Buffer.alloc(16, 7)
  const partition = {
    index: 3,
    errorCode: 87,
    baseOffset: 2n ** 40n,
    logAppendTimeMs: -1n,
    logStartOffset: 5n,
    recordErrors: [{ batchIndex: 1, message: 'no', tags: [] }],
    errorMessage: 'refused',
    tags: [],
  }
  const topics = [{ name: 'orders', topicId, partitions: [partition, { ...partition, index: 4 }], tags: [] }]
  const [oldest, newest] = PRODUCE.versions
  for (let version = oldest; version <= newest; version++)
    for (const tags of [[], [{ tag: 0, bytes: Buffer.from('00', 'hex') }]]) {
      const message = { topics, throttleTimeMs: 1, tags }
      const frame = encodeResponse(PRODUCE, { version, correlationId: 1, message })
      const layout = producedLayout(frame, { version, bodyAt: responseBodyAt(frame, PRODUCE, version) })
      const said = [3, 4].map((index) => ({ index, errorCode: 87, baseOffset: 2 ** 40 }))
      assert.deepEqual(layout.topics[0]?.partitions, said, `version ${version}`)
      assert.equal(layout.hasTags, version >= 9 && tags.length > 0)
      assert.equal(layout.topics[0]?.name, version < 13 ? 'orders' : '')
    }
})

test('what is made of a request is bounded, whatever its counts say', () => {
  const frame = Buffer.alloc(300_000) // zero-length names: each element takes six bytes
  const topics = 49_000
  frame.writeInt32BE(topics, 6)
  assert.equal(produceLayout(frame, { version: 2, bodyAt: 0 }).topics.length, topics)
  const larger = Buffer.alloc(3_000_000)
  larger.writeInt32BE(490_000, 6)
  assert.throws(() => produceLayout(larger, { version: 2, bodyAt: 0 }), MeshError)
})

test('a writer grows as far as it has to', () => {
  const writer = new Writer()
  writer.raw(Buffer.alloc(10_000, 1))
  assert.equal(writer.bytes().length, 10_000)
})
