/** Which bytes may stand where (RFC 9110, section 5; RFC 9112, section 3), as tables. */

export const CR = 13
export const LF = 10
export const SPACE = 32
export const TAB = 9
export const COLON = 58

/** tchar → itself in lower case; 0 for what cannot be in a method or a field name. */
export const TOKEN = table((code) => {
  const character = String.fromCharCode(code)
  return /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(character) ? character.toLowerCase().charCodeAt(0) : 0
})

/** 1 for field-vchar, space and tab: everything but controls and DEL. */
export const FIELD_VALUE = table((code) =>
  code === TAB || (code >= 0x20 && code <= 0x7e) || code >= 0x80 ? 1 : 0,
)

/** 1 for what a request target may hold: visible ASCII without `#`, which starts a fragment and is never sent. */
export const TARGET = table((code) => (code > 0x20 && code < 0x7f && code !== 0x23 ? 1 : 0))

/** Hexadecimal digit → 0 to 15; 255 for everything else. */
export const HEX = table((code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(digit) ? 255 : digit
})

/** uri-host and optional port (RFC 9110, section 7.2): name, IPv4, or IPv6 in brackets. No user information, no list. */
const AUTHORITY = /^(?:[A-Za-z0-9\-._~!$&'()*+;=%]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/
export const isAuthority = (text: string): boolean => AUTHORITY.test(text)

function table(valueAt: (code: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => valueAt(code))
}
