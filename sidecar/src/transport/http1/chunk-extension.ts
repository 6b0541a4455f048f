/**
 * The extensions of a chunk, read over byte by byte (RFC 9112, section 7.1.1), without the white space that the grammar calls bad:
 *
 *     ; name ──=──▶ value | "quoted \" value" ──▶ ; …
 *
 * Nobody here needs them. They are held to the letter because servers differ in what they forgive, and so in where the line ends.
 */
import { FIELD_VALUE, TOKEN } from '../characters.ts'

/** Where in an extension the next byte stands. */
export type ExtensionPlace =
  | 'nameStart'
  | 'name'
  | 'valueStart'
  | 'value'
  | 'quoted'
  | 'escaped'
  | 'afterQuoted'

const SEMICOLON = 0x3b
const EQUALS = 0x3d
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** True where an extension may end, which is where the line may. */
export const mayEnd = (place: ExtensionPlace): boolean =>
  place === 'name' || place === 'value' || place === 'afterQuoted'

/** The place behind `byte`; undefined where the byte cannot stand there. */
export function nextPlace(place: ExtensionPlace, byte: number): ExtensionPlace | undefined {
  if (byte === SEMICOLON && mayEnd(place)) return 'nameStart'
  switch (place) {
    case 'nameStart':
      return isToken(byte) ? 'name' : undefined
    case 'name':
      return byte === EQUALS ? 'valueStart' : isToken(byte) ? 'name' : undefined
    case 'valueStart':
      return byte === QUOTE ? 'quoted' : isToken(byte) ? 'value' : undefined
    case 'value':
      return isToken(byte) ? 'value' : undefined
    case 'quoted':
      if (byte === QUOTE) return 'afterQuoted'
      if (byte === BACKSLASH) return 'escaped'
      return FIELD_VALUE[byte] === 1 ? 'quoted' : undefined
    case 'escaped':
      return FIELD_VALUE[byte] === 1 ? 'quoted' : undefined
    case 'afterQuoted':
      return undefined
  }
}

const isToken = (byte: number): boolean => TOKEN[byte] !== 0
