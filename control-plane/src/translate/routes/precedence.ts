/**
 * Which of several matches decides. The Gateway API says it per kind; what it leaves to implementations: an expression
 * for a path stands between exact paths and prefixes (it would never be reached behind the prefix `/`), the longer first.
 */
import type { RouteMatch } from '@weft/schemas/snapshot-routes'

/** A match with what its place depends on. Of two, the one with the first larger number goes first. */
export interface RankedMatch {
  readonly match: RouteMatch
  readonly rank: readonly number[]
}

const PATH_CLASS = { Exact: 2, RegularExpression: 1, PathPrefix: 0 } as const

/** HTTPRoute: host, path, method, headers, query parameters. */
export function httpRank({ hostname, path, method, headers, queryParams }: RouteMatch): readonly number[] {
  return [
    ...hostRank(hostname),
    PATH_CLASS[path.type],
    path.value.length,
    method === undefined ? 0 : 1,
    headers.length,
    queryParams.length,
  ]
}

/** GRPCRoute: host, characters of the service, characters of the method, headers. */
export function grpcRank(
  { hostname, headers }: RouteMatch,
  method: { readonly service?: string; readonly method?: string } | undefined,
): readonly number[] {
  return [...hostRank(hostname), method?.service?.length ?? 0, method?.method?.length ?? 0, headers.length]
}

/** A name without wildcard before any with one; then the longer. */
const hostRank = (hostname: string | undefined): readonly number[] => [
  hostname === undefined || hostname.startsWith('*') ? 0 : 1,
  hostname?.length ?? 0,
]

/** In order of precedence. Of equals, the first of `ranked` stays first: routes are given by name, rules as written. */
export function inOrderOfPrecedence(ranked: readonly RankedMatch[]): readonly RouteMatch[] {
  return ranked.toSorted((a, b) => compareRanks(a.rank, b.rank)).map(({ match }) => match)
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  for (const [place, left] of a.entries()) {
    const right = b[place] ?? 0
    if (left !== right) return right - left
  }
  return 0
}
