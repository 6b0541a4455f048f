/** The routes of a snapshot. An unknown member is a fault: it may be the one that narrows a match. */
import type { Snapshot } from './snapshot.ts'
import {
  anyText,
  closed,
  listOf,
  matching,
  oneOf,
  type Report,
  share,
  text,
  whole,
} from './snapshot-checks.ts'

const header = matching('a header name in lower case', /^[^A-Z\s:]+$/)
const path = matching('a path that starts with /', /^\//)
const serviceName = matching('namespace/name', /^[^/\s]+\/[^/\s]+$/)

const FIELD_MATCH = closed({ type: oneOf('Exact', 'RegularExpression'), name: text, value: anyText }, {})

const MATCH = closed(
  {
    rule: whole(0),
    path: closed({ type: oneOf('Exact', 'PathPrefix', 'RegularExpression'), value: text }, {}),
    headers: listOf(FIELD_MATCH),
    queryParams: listOf(FIELD_MATCH),
  },
  { hostname: text, port: whole(1, 65_535), method: text },
)

const HEADER_FIELDS = listOf(closed({ name: header, value: anyText }, {}))
const MODIFICATION = closed({ set: HEADER_FIELDS, add: HEADER_FIELDS, remove: listOf(header) }, {})
const PATH_REWRITE = closed({ type: oneOf('full', 'prefix') }, { path, prefix: path, replacement: anyText })

const FILTERS = closed(
  {},
  {
    requestHeaders: MODIFICATION,
    responseHeaders: MODIFICATION,
    redirect: closed(
      { status: whole(300, 399) },
      { scheme: oneOf('http', 'https'), hostname: text, port: whole(1, 65_535), path: PATH_REWRITE },
    ),
    rewrite: closed({}, { hostname: text, path: PATH_REWRITE }),
    mirrors: listOf(closed({ service: serviceName, share }, {})),
    cors: closed(
      {
        allowOrigins: listOf(text),
        allowMethods: listOf(text),
        allowHeaders: listOf(text),
        exposeHeaders: listOf(text),
        allowCredentials: oneOf(true, false),
        maxAgeSeconds: whole(0),
      },
      {},
    ),
  },
)

const RULE = closed(
  {
    name: text,
    filters: FILTERS,
    backends: listOf(closed({ name: text, weight: whole(0), filters: FILTERS }, { service: serviceName })),
  },
  {
    requestTimeoutMs: whole(0),
    attemptTimeoutMs: whole(0),
    retry: closed({ statusCodes: listOf(whole(400, 599)) }, { attempts: whole(1), backoffMs: whole(0) }),
    session: closed(
      {
        type: oneOf('Cookie', 'Header'),
        name: text,
        path,
        isPermanent: oneOf(true, false),
        maxAgeSeconds: whole(0),
      },
      {},
    ),
  },
)

export const ROUTE_TABLE = closed({ routes: listOf(text), matches: listOf(MATCH), rules: listOf(RULE) }, {})

/** What names something else of the snapshot must name what is there. */
export function checkRouteReferences(
  { services, gateway }: Pick<Snapshot, 'services' | 'gateway'>,
  report: Report,
): void {
  const known = new Set(services.map(({ namespace, name }) => `${namespace}/${name}`))
  const tables = [
    ...services.map(({ routes }, index) => [`services[${index}].routes`, routes] as const),
    ...(gateway?.listeners ?? []).map(
      ({ routes }, index) => [`gateway.listeners[${index}].routes`, routes] as const,
    ),
  ]
  for (const [at, table] of tables) {
    if (table === undefined) continue
    const { rules, matches } = table
    for (const match of matches)
      if (match.rule >= rules.length) report(`${at}.matches[].rule`, 'a rule of the table', match.rule)
    for (const { backends, filters } of rules) {
      const named = [filters, ...backends.map((backend) => backend.filters)]
        .flatMap(({ mirrors = [] }) => mirrors.map(({ service }) => service))
        .concat(backends.flatMap(({ service = [] }) => service))
      for (const service of named)
        if (!known.has(service)) report(`${at}.rules[]`, 'a service of the snapshot', service)
    }
  }
}
