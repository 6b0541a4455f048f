/** The parts of `host:port`, as it stands in Host. */

/** In lower case, without port. */
export const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d{1,5}$/, '')

export function portOf(authority: string, fallback: number): number {
  const digits = /:(\d{1,5})$/.exec(authority)?.[1]
  return digits === undefined ? fallback : Number(digits)
}
