/** Bytes in HTTP header values, percent-encoded as CloudEvents' HTTP binding says (3.1.3.2). Lossless for any bytes. */

const HEX = '0123456789ABCDEF'
const PERCENT = 0x25
const QUOTE = 0x22

/** Everything outside U+0021 to U+007E, and `"` and `%`, becomes %XX. */
export function encodeHeaderValue(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) {
    text +=
      byte > 0x20 && byte < 0x7f && byte !== QUOTE && byte !== PERCENT
        ? String.fromCharCode(byte)
        : `%${HEX[byte >> 4]}${HEX[byte & 15]}`
  }
  return text
}

/**
 * The bytes of a header value: a quoted string is unquoted first (RFC 9110, 5.6.4), then %XX is decoded once. A `%` that
 * starts no escape stands for itself: plain values like `100%` are common, and no sender that encodes writes one.
 * Characters above U+007F are the bytes that Node read as Latin-1, so that bare UTF-8 is understood too.
 */
export function decodeHeaderValue(value: string): Uint8Array {
  const text = /^".*"$/s.test(value) && value.length > 1 ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value
  const bytes = new Uint8Array(text.length)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const escaped = code === PERCENT ? hexByte(text, at + 1) : -1
    bytes[length++] = escaped >= 0 ? escaped : code & 0xff
    if (escaped >= 0) at += 2
  }
  return bytes.subarray(0, length)
}

function hexByte(text: string, at: number): number {
  const digits = text.slice(at, at + 2)
  return /^[0-9a-fA-F]{2}$/.test(digits) ? Number.parseInt(digits, 16) : -1
}
