import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AnyEvent,
  type BytesOrText,
  type CloudEvent,
  fromHttp,
  fromHttpBatch,
  fromKafka,
  type HeaderField,
  type HttpHeaders,
  isBatch,
  toHttp,
  toKafka,
} from './cloudevents.ts'
import { MeshError } from './error.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (data: BytesOrText) => (typeof data === 'string' ? data : new TextDecoder().decode(data))
const REQUIRED = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/s', 'ce-type': 'T' }
const structured = (event: unknown) =>
  fromHttp(
    { 'content-type': 'application/cloudevents+json; charset=utf-8' },
    bytes(typeof event === 'string' ? event : JSON.stringify(event)),
  )
const ENVELOPE = { specversion: '1.0', id: '1', source: '/s', type: 'T' }

function faultsOf(headers: HttpHeaders, body = ''): string {
  try {
    fromHttp(headers, bytes(body))
  } catch (error) {
    assert.ok(error instanceof MeshError)
    assert.equal(error.code, 'invalid_event')
    return error.message
  }
  throw new Error('expected a fault')
}

test('binary mode: attributes from ce- headers, data untouched', () => {
  const { event, key, headers } = fromHttp(
    {
      ...REQUIRED,
      'ce-time': '2026-11-21T10:00:00.123Z',
      'ce-comexample': 'caf%C3%A9',
      'content-type': 'text/plain',
      host: 'x',
    },
    bytes('hello'),
  )
  assert.equal(event.kind, 'cloudevent')
  assert.deepEqual(
    { ...(event as CloudEvent).attributes },
    {
      specversion: '1.0',
      id: '1',
      source: '/s',
      type: 'T',
      time: '2026-11-21T10:00:00.123Z',
      comexample: 'café',
    },
  )
  assert.equal(event.contentType, 'text/plain')
  assert.equal(text(event.data), 'hello')
  assert.equal(key, undefined)
  assert.deepEqual(headers, [])
})

test('structured mode: data keeps its numbers as they were written', () => {
  const { event } = structured(
    '{"specversion":"1.0","id":"1","source":"/s","type":"T","count":7,"flag":true,"subject":null,"data":{"big":12345678901234567890,"price":1.10,"n":-0}}',
  )
  assert.deepEqual(
    { ...(event as CloudEvent).attributes },
    { specversion: '1.0', id: '1', source: '/s', type: 'T', count: '7', flag: 'true' },
  )
  assert.equal(event.contentType, 'application/json')
  assert.equal(text(event.data), '{"big":12345678901234567890,"price":1.10,"n":-0}')
})

test('structured mode: digits that a double may not hold are kept, wherever they stand', () => {
  for (const number of ['1e5', '0.0000001', '1.0', '12345678.123456789', '9007199254740993', '-0', '1E400'])
    assert.equal(
      text(
        structured(`{"specversion":"1.0","id":"1","source":"/s","type":"T","data":[${number}]}`).event.data,
      ),
      `[${number}]`,
    )
  const { event } = structured(
    '{"specversion":"1.0","id":"1","source":"/s","type":"T","count":1.0,"data":[1.0]}',
  )
  assert.equal((event as CloudEvent).attributes.count, '1')
})

test('structured mode: a text under another content type is the data itself, base64 is decoded', () => {
  assert.equal(
    text(structured({ ...ENVELOPE, datacontenttype: 'text/xml', data: '<a/>' }).event.data),
    '<a/>',
  )
  assert.equal(
    text(structured({ ...ENVELOPE, datacontenttype: 'application/vnd.a+json', data: 'a' }).event.data),
    '"a"',
  )
  assert.deepEqual(structured({ ...ENVELOPE, data_base64: 'AP8=' }).event.data, Uint8Array.of(0, 255))
  assert.equal(structured(ENVELOPE).event.data.length, 0)
})

test('any other body is an event as it is', () => {
  const { event, key } = fromHttp(
    { 'content-type': 'image/png', 'ce-partitionkey': 'p' },
    Uint8Array.of(0, 255),
  )
  assert.deepEqual(event, { kind: 'raw', contentType: 'image/png', data: Uint8Array.of(0, 255) })
  assert.equal(text(key ?? bytes('')), 'p')
})

test('the key is weft-key, else the partitionkey extension of either mode', () => {
  const keyOf = (headers: HttpHeaders) => text(fromHttp(headers, bytes('')).key ?? bytes('none'))
  assert.equal(keyOf({ ...REQUIRED, 'ce-partitionkey': 'a', 'weft-key': 'b%20c' }), 'b c')
  assert.equal(keyOf({ ...REQUIRED, 'ce-partitionkey': 'a' }), 'a')
  assert.equal(text(structured({ ...ENVELOPE, partitionkey: 'k' }).key ?? bytes('')), 'k')
  assert.equal(keyOf({}), 'none')
})

test('weft-header-<name> becomes a record header; names that the sidecar writes are refused', () => {
  const { headers } = fromHttp({ 'weft-header-tenant': 'caf%C3%A9' }, bytes(''))
  assert.deepEqual(
    headers.map(([name, value]) => [name, text(value)]),
    [['tenant', 'café']],
  )
  for (const name of ['traceparent', 'content-type', 'ce_id', 'weft-dlt-error', ''])
    assert.match(faultsOf({ [`weft-header-${name}`]: 'x' }), /reserved/)
})

test('every fault is told at once', () => {
  const message = faultsOf({
    'ce-id': '',
    'ce-type': '%FF',
    'ce-my-name': 'x',
    'ce-datacontenttype': 'a/b',
    'ce-time': 'yesterday',
  })
  for (const part of [
    'id: ',
    'source: ',
    'ce-type: expected UTF-8',
    'ce-my-name',
    'ce-datacontenttype',
    'specversion: ',
    'time: ',
  ])
    assert.ok(message.includes(part), `${part} in ${message}`)
})

test('structured faults name what was expected', () => {
  const type = { 'content-type': 'application/cloudevents+json' }
  assert.match(faultsOf(type, '{'), /body: expected a JSON object/)
  assert.match(faultsOf(type, '[]'), /body: expected a JSON object/)
  assert.match(faultsOf(type, '[['.repeat(100_000)), /body: expected a JSON object/)
  assert.match(faultsOf(type, '{}'), /4 faults/)
  assert.match(faultsOf(type, JSON.stringify({ ...ENVELOPE, Extra: 'x' })), /"Extra"/)
  assert.match(faultsOf(type, JSON.stringify({ ...ENVELOPE, extra: 1.5 })), /extra/)
  assert.match(faultsOf(type, JSON.stringify({ ...ENVELOPE, extra: { a: 1 } })), /extra/)
  assert.match(faultsOf(type, JSON.stringify({ ...ENVELOPE, data: 1, data_base64: 'AA==' })), /both/)
  assert.match(faultsOf(type, JSON.stringify({ ...ENVELOPE, data_base64: '*' })), /base64/)
  assert.match(
    faultsOf(type, JSON.stringify({ ...ENVELOPE, specversion: '0.3' })),
    /specversion: expected 1.0, came "0.3"/,
  )
})

test('other formats are refused by name', () => {
  assert.match(faultsOf({ 'content-type': 'application/cloudevents+xml' }), /application\/cloudevents\+json/)
})

const batchOf = (events: unknown, headers: HttpHeaders = {}) =>
  fromHttpBatch(headers, bytes(typeof events === 'string' ? events : JSON.stringify(events)))

test('a batch is a list of events, each with the key of its own', () => {
  const events = batchOf(
    [
      { ...ENVELOPE, data: { a: 1 } },
      { ...ENVELOPE, id: '2', partitionkey: 'p', datacontenttype: 'text/plain', data: 'x' },
    ],
    { 'weft-key': 'k', 'weft-header-tenant': 'blue' },
  )
  assert.deepEqual(
    events.map(({ event, key, headers }) => [
      (event as CloudEvent).attributes.id,
      text(event.data),
      text(key ?? bytes('')),
      headers[0]?.[0],
    ]),
    [
      ['1', '{"a":1}', 'k', 'tenant'],
      ['2', 'x', 'p', 'tenant'],
    ],
  )
  assert.ok(isBatch('application/cloudevents-batch+json; charset=utf-8'))
  assert.ok(!isBatch('application/cloudevents+json'))
})

test('every fault of a batch is told at once, with the place of its event', () => {
  const faults = (events: unknown, headers?: HttpHeaders) => {
    try {
      batchOf(events, headers)
    } catch (error) {
      return MeshError.from(error).message
    }
    return ''
  }
  const message = faults([ENVELOPE, { ...ENVELOPE, id: '' }, 7, { ...ENVELOPE, data: 1, data_base64: '*' }])
  assert.match(
    message,
    /the batch has 4 faults: \[1\]\.id: .*\[2\]\.event: .*\[3\]\.data: .*\[3\]\.data_base64: /,
  )
  assert.match(faults([]), /at least one event/)
  assert.match(faults({}), /expected a JSON array of events/)
  assert.match(faults('['), /expected a JSON array of events/)
  assert.match(faults([ENVELOPE], { 'ce-id': 'x' }), /no attributes in the head of a batch/)
})

/** As a record has them. */
const written = (headers: readonly HeaderField<string>[]): HeaderField[] =>
  headers.map(([name, value]) => [name, bytes(value)])

test('a record carries the event in Kafka binary mode and comes back as it was', () => {
  const event: AnyEvent = {
    kind: 'cloudevent',
    attributes: { specversion: '1.0', id: 'ü', source: '/s', type: 'T' },
    contentType: 'text/plain',
    data: bytes('x'),
  }
  const { headers, value } = toKafka(event)
  assert.deepEqual(headers, [
    ['ce_specversion', '1.0'],
    ['ce_id', 'ü'],
    ['ce_source', '/s'],
    ['ce_type', 'T'],
    ['content-type', 'text/plain'],
  ])
  const back = fromKafka([...written(headers), ['tenant', bytes('blue')]], value)
  assert.deepEqual(back.event, event)
  assert.deepEqual(back.rest, [['tenant', bytes('blue')]])
})

test('a record that anybody wrote is never a fault', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string(), fc.uint8Array())), fc.uint8Array(), (headers, value) => {
      const request = toHttp(fromKafka(headers, value).event)
      for (const [name, header] of Object.entries(request.headers)) {
        assert.match(name, /^(ce-[a-z0-9]+|content-type)$/)
        assert.match(header, /^[\x20-\x7e]*$/)
      }
      assert.deepEqual(request.body, value)
    }),
  )
})

test('what comes in binary mode over HTTP goes out the same, by way of Kafka', () => {
  const name = fc
    .stringMatching(/^[a-z0-9]{1,10}$/)
    .filter(
      (each) =>
        !['id', 'source', 'type', 'specversion', 'time', 'subject', 'dataschema', 'datacontenttype'].includes(
          each,
        ),
    )
  const attributes = fc.dictionary(name, fc.string({ unit: 'grapheme', minLength: 1 }))
  fc.assert(
    fc.property(attributes, fc.uint8Array(), (extensions, data) => {
      const event: AnyEvent = {
        kind: 'cloudevent',
        attributes: { specversion: '1.0', id: '1', source: '/s', type: 'T', ...extensions },
        contentType: 'a/b',
        data,
      }
      const request = toHttp(event)
      const { headers, value } = toKafka(fromHttp(request.headers, request.body).event)
      assert.ok(typeof value !== 'string')
      assert.deepEqual(toHttp(fromKafka(written(headers), value).event), request)
    }),
  )
})

test('hostile headers are faults or events, never another error', () => {
  const headers = fc.dictionary(
    fc.constantFrom('content-type', 'ce-id', 'ce-specversion', 'ce-', 'weft-key', 'weft-header-x', 'ce-time'),
    fc.string(),
  )
  fc.assert(
    fc.property(headers, fc.uint8Array(), (each, body) => {
      try {
        fromHttp(each, body)
      } catch (error) {
        assert.ok(error instanceof MeshError)
      }
    }),
  )
})

test('a record in structured mode is the event that it holds; what is none is bytes with a content type', () => {
  const headers = (type: string) => [['content-type', Buffer.from(type)] as const]
  const value = Buffer.from('{"specversion":"1.0","id":"1","source":"/s","type":"T","data":{"a":1}}')
  const { event } = fromKafka(headers('application/cloudevents+json; charset=UTF-8'), value)
  assert.deepEqual(toHttp(event).headers, {
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': '/s',
    'ce-type': 'T',
    'content-type': 'application/json',
  })
  assert.equal(Buffer.from(event.data).toString(), '{"a":1}')
  for (const bad of ['', '[]', 'null', '{"specversion":"1.0"}', '{"id":{}}', '\xff', '{"data_base64":"%"}']) {
    const raw = fromKafka(headers('application/cloudevents+json'), Buffer.from(bad, 'latin1')).event
    assert.deepEqual([raw.kind, raw.contentType], ['raw', 'application/cloudevents+json'], bad)
    assert.equal(Buffer.from(raw.data).toString('latin1'), bad)
  }
})

test('an event without data gains no type of data on its way', () => {
  const attributes = { specversion: '1.0', id: '1', source: '/s', type: 'T' }
  const { headers } = toHttp({ kind: 'cloudevent', attributes, data: new Uint8Array() })
  assert.equal('content-type' in headers, false)
})
