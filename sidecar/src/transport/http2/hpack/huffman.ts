/**
 * Huffman decoding (RFC 7541, section 5.2 and appendix B), four bits at a time: a state is an inner node of the code tree,
 * and a table says for each state and nibble which state follows and which byte came out. No code is shorter than five bits,
 * so that a nibble never ends two.
 */

/** Bits of the code of each byte, in base 36, 32 bytes a row. The code is canonical: lengths say everything. */
const CODE_LENGTHS = [
  'dnsssssssoussussssssssusssssssss',
  '6aacd68baa8b8666555666666678f6ca',
  'd67777777777777777777777878djde6',
  'f56565666577666567655677777fbeds',
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnno',
  'mlkmmnnlnmmolmnnllmlnmnnkmmmnmmn',
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrr',
  'koklmllnmmppooqnqrqqrrrrrsrrrrrq',
].join('')
const END_OF_STRING = 256
const MAX_CODE_BITS = 30
const MIN_CODE_BITS = 5

/** Of an entry of the table: the next state in the low bits, then the byte, then what is to be done. */
const STATE_MASK = 0x1ff
const BYTE_SHIFT = 9
const EMITS = 1 << 17
const FAILS = 1 << 18

/** Each inner node's two children: a node's number, or -1 - symbol. */
const nodes: [number, number][] = [[0, 0]]

function addCode(code: number, bits: number, symbol: number): void {
  let node = 0
  for (let bit = bits - 1; bit > 0; bit--) {
    const children = nodes[node] as [number, number]
    const side = ((code >>> bit) & 1) as 0 | 1
    if (children[side] === 0) children[side] = nodes.push([0, 0]) - 1
    node = children[side]
  }
  ;(nodes[node] as [number, number])[(code & 1) as 0 | 1] = -1 - symbol
}

function buildTree(): void {
  let code = 0
  for (let bits = MIN_CODE_BITS; bits <= MAX_CODE_BITS; bits++) {
    for (let symbol = 0; symbol < END_OF_STRING; symbol++)
      if (Number.parseInt(CODE_LENGTHS.charAt(symbol), 36) === bits) addCode(code++, bits, symbol)
    if (bits === MAX_CODE_BITS) addCode(code, bits, END_OF_STRING)
    code <<= 1
  }
}

function transition(state: number, nibble: number): number {
  let node = state
  let emitted = 0
  for (let bit = 3; bit >= 0; bit--) {
    node = (nodes[node] as [number, number])[((nibble >>> bit) & 1) as 0 | 1]
    if (node >= 0) continue
    const symbol = -1 - node
    if (symbol === END_OF_STRING) return FAILS
    emitted = EMITS | (symbol << BYTE_SHIFT)
    node = 0
  }
  return node | emitted
}

buildTree()
const TRANSITIONS = Int32Array.from({ length: nodes.length * 16 }, (_, at) => transition(at >>> 4, at & 15))

/** 1 for states in which a string may end: what is left over is at most seven bits, all of them 1. */
const MAY_END = new Uint8Array(nodes.length)
for (let node = 0, bits = 0; bits < 8; bits++) {
  MAY_END[node] = 1
  node = (nodes[node] as [number, number])[1]
}

/** The shortest code is five bits long, so that a byte becomes at most 8 / 5 bytes. */
export const maxDecodedBytes = (encodedBytes: number): number => Math.ceil((encodedBytes * 8) / MIN_CODE_BITS)

/** Decodes source[from, to) to the beginning of `target`, which has room; returns the number of bytes, -1 where it is no code. */
export function decodeHuffman(
  target: Buffer,
  source: Buffer,
  { from, to }: { readonly from: number; readonly to: number },
): number {
  let state = 0
  let length = 0
  for (let at = from; at < to; at++) {
    const byte = source[at] as number
    const high = TRANSITIONS[(state << 4) | (byte >>> 4)] as number
    if ((high & EMITS) !== 0) target[length++] = (high >>> BYTE_SHIFT) & 0xff
    const low = TRANSITIONS[((high & STATE_MASK) << 4) | (byte & 15)] as number
    if ((low & EMITS) !== 0) target[length++] = (low >>> BYTE_SHIFT) & 0xff
    if (((high | low) & FAILS) !== 0) return -1
    state = low & STATE_MASK
  }
  return MAY_END[state] === 1 ? length : -1
}
