import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ConnectionError } from '../protocol.ts'
import { HpackDecoder, MALFORMED } from './decoder.ts'
import { HpackEncoder, MAX_UPDATE_BYTES, maxFieldBytes } from './encoder.ts'

type Field = readonly [name: string, value: string]

const RFC_REQUESTS = [
  ['828684410f7777772e6578616d706c652e636f6d', '828684be58086e6f2d6361636865'],
  ['828684418cf1e3c2e5f23a6ba0ab90f4ff', '828684be5886a8eb10649cbf'],
] as const

function decoded(
  decoder: HpackDecoder,
  block: Buffer,
): { fields: Field[]; kinds: number[]; never: string[] } {
  const fields: Field[] = []
  const kinds: number[] = []
  const never: string[] = []
  decoder.decode(block, 0, block.length, {
    onField(name, value, kind) {
      fields.push([name, value])
      kinds.push(kind)
    },
    onNeverIndexed: (name) => void never.push(name),
  })
  return { fields, kinds, never }
}

function encoded(encoder: HpackEncoder, fields: readonly Field[]): Buffer {
  const room = fields.reduce((sum, [name, value]) => sum + maxFieldBytes(name, value), MAX_UPDATE_BYTES)
  const buffer = Buffer.alloc(room)
  encoder.begin(buffer, 0)
  for (const [name, value] of fields) encoder.field(name, value)
  return buffer.subarray(0, encoder.end())
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex')
const failsWith = (errorCode: number) => (error: unknown) =>
  error instanceof ConnectionError && error.errorCode === errorCode

describe('HPACK', () => {
  for (const [index, blocks] of RFC_REQUESTS.entries())
    it(`reads the requests of RFC 7541, appendix C.${index + 3}`, () => {
      const decoder = new HpackDecoder()
      const [first, second] = blocks.map((block) => decoded(decoder, hex(block)).fields)

      const start: Field[] = [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
      ]
      assert.deepEqual(first, start)
      assert.deepEqual(second, [...start, ['cache-control', 'no-cache']])
    })

  it('reads the responses of appendix C.6, whose table of 256 bytes is too small for all of them', () => {
    const decoder = new HpackDecoder()
    const blocks = [
      '3fe1014882640258 85aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
      '4883640effc1c0bf',
      '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
    ]
    const answers = blocks.map((block) => decoded(decoder, hex(block.replaceAll(' ', ''))).fields)

    assert.deepEqual(answers[1], [
      [':status', '307'],
      ['cache-control', 'private'],
      ['date', 'Mon, 21 Oct 2013 20:13:21 GMT'],
      ['location', 'https://www.example.com'],
    ])
    assert.deepEqual(answers[2]?.at(-1), [
      'set-cookie',
      'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1',
    ])
  })

  it('writes what it reads, over many blocks of one connection', () => {
    const name = fc.stringMatching(/^[a-z-]{1,12}$/)
    const value = fc.stringMatching(/^(?:[!-~\x80-\xff][ -~\x80-\xff]{0,300}[!-~\x80-\xff])?$/)
    const block = fc.array(fc.tuple(fc.oneof(name, fc.constantFrom('traceparent', 'cookie', ':path')), value))
    fc.assert(
      fc.property(fc.array(block, { maxLength: 20 }), fc.nat(5000), (blocks, tableBytes) => {
        const encoder = new HpackEncoder()
        const decoder = new HpackDecoder()
        for (const [index, fields] of blocks.entries()) {
          if (index === 2) encoder.limitTable(tableBytes)
          if (index === 5) encoder.limitTable(4096)
          assert.deepEqual(decoded(decoder, encoded(encoder, fields)).fields, fields)
        }
      }),
    )
  })

  it('says a repeated field in one byte, and points to the name of one that changes', () => {
    const encoder = new HpackEncoder()
    const fields = (id: string): Field[] => [
      ['user-agent', 'a test'],
      ['traceparent', id],
    ]
    encoded(encoder, fields('one'))

    assert.equal(encoded(encoder, fields('two')).length, 1 + 2 + 4)
  })

  it('stops indexing a name whose values keep changing, until they repeat', () => {
    const encoder = new HpackEncoder()
    const sizes = Array.from({ length: 20 }, (_, at) => encoded(encoder, [[':path', `/orders/${at}`]])[0])
    const repeated = Array.from({ length: 20 }, () => encoded(encoder, [[':path', '/orders']]).length)

    assert.equal(sizes[0], 0x44)
    assert.equal(sizes.at(-1), 0x04)
    assert.equal(repeated.at(-1), 1)
  })

  it('keeps secrets, and what came as one, out of every table', () => {
    const encoder = new HpackEncoder()
    const block = Buffer.alloc(200)
    encoder.begin(block, 0)
    encoder.field('authorization', 'secret')
    encoder.neverIndexed('x-token', 'secret')
    const { fields, never } = decoded(new HpackDecoder(), block.subarray(0, encoder.end()))

    assert.deepEqual(never, ['authorization', 'x-token'])
    assert.deepEqual(fields, [
      ['authorization', 'secret'],
      ['x-token', 'secret'],
    ])
  })

  for (const [what, name, value] of [
    ['upper case in a name', 'X-Id', '1'],
    ['a colon in a name', 'a:b', '1'],
    ['an empty name', '', '1'],
    ['CR LF in a value', 'a', 'b\r\nc: d'],
    ['NUL in a value', 'a', 'b\0'],
    ['white space around a value', 'a', ' b'],
  ] as const)
    it(`marks ${what}, also when it comes by index`, () => {
      const literal = Buffer.concat([
        Buffer.from([0x40, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ])
      const decoder = new HpackDecoder()

      assert.deepEqual(decoded(decoder, literal).kinds, [MALFORMED])
      assert.deepEqual(decoded(decoder, hex('be')).kinds, [MALFORMED])
    })

  for (const [what, block] of [
    ['an index beyond the table', 'be'],
    ['index 0', '80'],
    ['a change of the table size after a field', '8220'],
    ['a table larger than was agreed', '3fe23f'],
    ['an integer without end', 'ffffffffffff'],
    ['a string that is cut off', '400561'],
    ['a padding of the Huffman code that is longer than seven bits', '400161 83ffffff'],
    ['a padding of the Huffman code with zeros', '4001618100'],
    ['the end-of-string symbol', '40016184ffffffff'],
    ['a block that ends before its string', '40'],
  ] as const)
    it(`refuses ${what} as a compression error`, () => {
      assert.throws(() => decoded(new HpackDecoder(), hex(block.replaceAll(' ', ''))), failsWith(9))
    })

  it('never does anything else with random bytes than read them or refuse them', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (blocks) => {
        const decoder = new HpackDecoder()
        for (const block of blocks)
          try {
            decoded(decoder, Buffer.from(block))
          } catch (error) {
            if (!failsWith(9)(error)) throw error
            return
          }
      }),
      { numRuns: 1000 },
    )
  })
})
