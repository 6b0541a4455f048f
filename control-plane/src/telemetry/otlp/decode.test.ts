import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { decodeBinary } from './binary.ts'
import { type Decoded, MAX_SPANS_PER_REQUEST } from './draft.ts'
import { decodeJson } from './json.ts'
import { exportResponse } from './response.ts'

/** One export of the OpenTelemetry SDK 3.1 for Node (exporters 0.301), in both encodings, as it came over HTTP. */
const fixture = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'fixtures', name))

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const EXPECTED: Decoded = {
  rejected: 0,
  spans: [
    {
      traceId: TRACE,
      spanId: '00f067aa0ba902b8',
      parentSpanId: '00f067aa0ba902b7',
      name: 'send orders',
      kind: 'producer',
      service: 'order-service',
      startTimeUnixNano: 1795200000010000000n,
      endTimeUnixNano: 1795200000020000000n,
      status: 'unset',
      attributes: {
        'messaging.system': 'kafka',
        'messaging.destination.name': 'orders',
        ratio: 0.5,
        tags: ['a', 'b'],
        ok: true,
      },
      events: [
        {
          name: 'acknowledged',
          timeUnixNano: 1795200000015000000n,
          attributes: { 'messaging.kafka.offset': 42 },
        },
      ],
      links: [],
    },
    {
      traceId: TRACE,
      spanId: '00f067aa0ba902b9',
      parentSpanId: '00f067aa0ba902b7',
      name: 'process orders',
      kind: 'consumer',
      service: 'order-service',
      startTimeUnixNano: 1795200000050000000n,
      endTimeUnixNano: 1795200000070000000n,
      status: 'error',
      statusMessage: 'the card was declined',
      attributes: { 'messaging.destination.name': 'orders' },
      events: [],
      links: [{ traceId: TRACE, spanId: '00f067aa0ba902b8' }],
    },
    {
      traceId: TRACE,
      spanId: '00f067aa0ba902b7',
      name: 'order-service',
      kind: 'server',
      service: 'order-service',
      startTimeUnixNano: 1795200000000000000n,
      endTimeUnixNano: 1795200000030000000n,
      status: 'unset',
      attributes: {
        'http.request.method': 'POST',
        'url.path': '/orders',
        'http.response.status_code': 201,
        'weft.peer': 'spiffe://weft.local/ns/default/sa/product-service',
      },
      events: [],
      links: [],
    },
  ],
}

const plain = ({ spans, rejected }: Decoded): Decoded => ({ spans, rejected })
const json = (span: object): string =>
  JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
const ids = { traceId: TRACE, spanId: '00f067aa0ba902b8' }

test("the SDK's protobuf is read whole", () => {
  assert.deepEqual(plain(decodeBinary(fixture('sdk.pb'))), EXPECTED)
})

test("the SDK's JSON is read to the same spans", () => {
  assert.deepEqual(plain(decodeJson(fixture('sdk.json').toString())), EXPECTED)
})

test('protobuf cut anywhere is refused or read as less, and never hangs', () => {
  const whole = fixture('sdk.pb')
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => decodeBinary(whole.subarray(0, length)), `cut at ${length}`)
  }
})

test('protobuf with any one byte turned over throws an Error or is read, nothing else', () => {
  const whole = fixture('sdk.pb')
  for (let at = 0; at < whole.length; at++) {
    const broken = Buffer.from(whole)
    broken[at] = (broken[at] ?? 0) ^ 0xff
    try {
      assert.ok(decodeBinary(broken).spans.length <= 3)
    } catch (error) {
      assert.ok(error instanceof Error, `byte ${at}`)
    }
  }
})

test('a length that claims more than there is, is refused', () => {
  assert.throws(() => decodeBinary(Buffer.from('0affffffff0f', 'hex')))
})

test('unknown fields are skipped, also those of a known number and another type', () => {
  const writer = new BinaryWriter()
  writer.tag(1, WireType.Varint).uint32(7)
  writer.tag(900, WireType.LengthDelimited).string('from the future')
  const result = decodeBinary(Buffer.concat([writer.finish(), fixture('sdk.pb')]))
  assert.equal(result.spans.length, 3)
})

test('more spans than a request may hold are counted and not made', () => {
  const spans = new BinaryWriter()
  for (let index = 0; index < MAX_SPANS_PER_REQUEST + 5; index++) {
    spans.tag(2, WireType.LengthDelimited).fork()
    spans.tag(1, WireType.LengthDelimited).bytes(Buffer.from(TRACE, 'hex'))
    spans.tag(2, WireType.LengthDelimited).bytes(Buffer.from('00f067aa0ba902b8', 'hex'))
    spans.join()
  }
  const scope = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(spans.finish()).finish()
  const body = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(scope).finish()
  const { spans: read, rejected } = decodeBinary(body)
  assert.deepEqual([read.length, rejected], [MAX_SPANS_PER_REQUEST, 5])
  assert.equal(read[0]?.service, 'unknown_service')
})

test('values nested in values a thousand deep are left unread', () => {
  let value: Uint8Array = new BinaryWriter().tag(1, WireType.LengthDelimited).string('bottom').finish()
  for (let depth = 0; depth < 1000; depth++) {
    const list = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(value).finish()
    value = new BinaryWriter().tag(5, WireType.LengthDelimited).bytes(list).finish()
  }
  const attribute = new BinaryWriter()
  attribute.tag(1, WireType.LengthDelimited).string('deep')
  attribute.tag(2, WireType.LengthDelimited).bytes(value)
  const span = new BinaryWriter()
  span.tag(1, WireType.LengthDelimited).bytes(Buffer.from(TRACE, 'hex'))
  span.tag(2, WireType.LengthDelimited).bytes(Buffer.from('00f067aa0ba902b8', 'hex'))
  span.tag(9, WireType.LengthDelimited).bytes(attribute.finish())
  const scope = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(span.finish()).finish()
  const group = new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(scope).finish()
  const body = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(group).finish()
  assert.deepEqual(decodeBinary(body).spans[0]?.attributes, { deep: [] })
})

test('a span without valid ids is rejected, and its neighbours are kept', () => {
  const bad = [
    {},
    { ...ids, traceId: '0'.repeat(32) },
    { ...ids, traceId: `${TRACE}00` },
    { ...ids, traceId: '../../../../etc/passwd' },
    { ...ids, traceId: 5 },
    { ...ids, spanId: '0'.repeat(16) },
    { ...ids, spanId: '<script>alert(1)' },
  ]
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [...bad, ids] }] }] })
  const { spans, rejected } = decodeJson(body)
  assert.deepEqual([spans.length, rejected], [1, bad.length])
})

test('a parent that is no span id, or the span itself, is no parent', () => {
  for (const parentSpanId of ['', 'xyz', '0'.repeat(16), ids.spanId, ids.spanId.toUpperCase()]) {
    const [span] = decodeJson(json({ ...ids, parentSpanId })).spans
    assert.equal(span !== undefined && 'parentSpanId' in span, false, parentSpanId)
  }
})

test('an upper-case id is the same id', () => {
  assert.equal(decodeJson(json({ ...ids, traceId: TRACE.toUpperCase() })).spans[0]?.traceId, TRACE)
})

test('JSON of any other form than the expected one is refused or ignored, never trusted', () => {
  for (const body of ['', '[]', 'null', '"x"', '{}', '{"resourceSpans":{}}', '{"resourceSpans":']) {
    assert.throws(() => decodeJson(body), body)
  }
  for (const body of [
    '{"resourceSpans":[null,1,"x",[],{}]}',
    '{"resourceSpans":[{"resource":[],"scopeSpans":[{"spans":[null,[],"x"]}]}]}',
  ]) {
    assert.deepEqual(plain(decodeJson(body)), { spans: [], rejected: 0 }, body)
  }
})

test('times that are no times are zero, and an end before the start is the start', () => {
  const [span] = decodeJson(
    json({ ...ids, startTimeUnixNano: '99999999999999999999999', endTimeUnixNano: -5 }),
  ).spans
  assert.deepEqual([span?.startTimeUnixNano, span?.endTimeUnixNano], [0n, 0n])
  const [late] = decodeJson(json({ ...ids, startTimeUnixNano: '20', endTimeUnixNano: '10' })).spans
  assert.equal(late?.endTimeUnixNano, 20n)
})

test('names, values, and how many there are of each are cut to size', () => {
  const long = 'x'.repeat(100_000)
  const attributes = Array.from({ length: 1000 }, (_, index) => ({
    key: `${index}`,
    value: { stringValue: long },
  }))
  const many = Array.from({ length: 1000 }, () => ({ name: long, ...ids }))
  const [span] = decodeJson(json({ ...ids, name: long, attributes, events: many, links: many })).spans
  assert.equal(span?.name.length, 256)
  assert.equal(Object.keys(span?.attributes ?? {}).length, 128)
  assert.equal(span?.attributes['0']?.toString().length, 4096)
  assert.deepEqual([span?.events.length, span?.links.length], [32, 32])
})

test('an attribute named __proto__ is an attribute', () => {
  const attributes = [{ key: '__proto__', value: { stringValue: 'x' } }]
  const [span] = decodeJson(json({ ...ids, attributes })).spans
  assert.deepEqual(Object.keys(span?.attributes ?? {}), ['__proto__'])
  assert.equal(({} as Record<string, unknown>).polluted, undefined)
})

test('a whole number that JavaScript cannot hold stays a text', () => {
  const attributes = [{ key: 'n', value: { intValue: '9223372036854775807' } }]
  const [span] = decodeJson(json({ ...ids, attributes })).spans
  assert.equal(span?.attributes.n, '9223372036854775807')
})

test('an answer says how many spans were rejected, in the encoding of the request', () => {
  assert.equal(exportResponse('application/json', 0), '{}')
  assert.equal(exportResponse('application/x-protobuf', 0).length, 0)
  assert.match(String(exportResponse('application/json', 3)), /"rejectedSpans":"3"/)
  const reader = new BinaryReader(Buffer.from(exportResponse('application/x-protobuf', 3)))
  assert.deepEqual(reader.tag(), [1, WireType.LengthDelimited])
  const partial = new BinaryReader(reader.bytes())
  partial.tag()
  assert.equal(Number(partial.int64()), 3)
})
