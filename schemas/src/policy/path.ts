/**
 * One normal form of a request path, for access decisions (RFC 3986, section 6.2.2): percent-encoded unreserved
 * characters decoded, dot segments removed, duplicate slashes folded, remaining escapes in upper case. What two
 * servers could read differently has no normal form: the caller is refused, there is no way round a policy.
 */

// Slash, backslash, NUL and controls in escaped form: some servers decode them before they route, some after.
const AMBIGUOUS_ESCAPE = /%(?:2f|5c|0[0-9a-f]|1[0-9a-f]|7f)/i
const BAD_ESCAPE = /%(?![0-9a-f]{2})/i
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const FORBIDDEN = /[\\\u0000-\u0020\u007f#?]/
// `/..;/`: servers with path parameters strip what follows the semicolon and then climb.
const DOT_WITH_PARAMETER = /\/\.{1,2};/
// `/a//../b` is `/b` where slashes are folded first, `/a/b` where they are not.
const CLIMB_OVER_EMPTY = /\/\/(?:.*\/)?\.\.(?:\/|$)/
const ESCAPE = /%([0-9a-fA-F]{2})/g
const UNRESERVED = /[A-Za-z0-9\-._~]/

/** The path (no query) in its normal form, starting with `/`; undefined where it has none. */
export function normalisePath(path: string): string | undefined {
  if (!path.startsWith('/') || FORBIDDEN.test(path)) return undefined
  if (!path.includes('%') && !path.includes('//') && !path.includes('/.')) return path
  if (BAD_ESCAPE.test(path) || AMBIGUOUS_ESCAPE.test(path)) return undefined

  const decoded = path.replace(ESCAPE, (encoded, digits: string) => {
    const character = String.fromCharCode(Number.parseInt(digits, 16))
    return UNRESERVED.test(character) ? character : encoded.toUpperCase()
  })
  if (DOT_WITH_PARAMETER.test(decoded) || CLIMB_OVER_EMPTY.test(decoded)) return undefined
  return removeDotSegments(decoded)
}

/** RFC 3986, section 5.2.4, on a path whose duplicate slashes count as one. */
function removeDotSegments(path: string): string {
  const kept: string[] = []
  const segments = path.split('/').filter((segment) => segment !== '')
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  const last = segments.at(-1)
  const isDirectory = path.endsWith('/') || last === '.' || last === '..'
  const joined = `/${kept.join('/')}`
  return isDirectory && kept.length > 0 ? `${joined}/` : joined
}
