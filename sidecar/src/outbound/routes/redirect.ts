/** RequestRedirect: the route itself answers, with another address. */
import type { Redirect } from '@weft/schemas/snapshot-routes'
import type { RequestHead, Service } from '../../transport/exchange.ts'
import { answer } from './answer.ts'
import { hostOf, portOf } from './authority.ts'
import { rewriteTarget } from './rewrite.ts'

export type Scheme = 'http' | 'https'

const WELL_KNOWN_PORTS = { http: 80, https: 443 } as const

/** `scheme` is that of the listener by which requests come. */
export const redirect = (settings: Redirect, scheme: Scheme): Service => ({
  call: (head, response) =>
    answer(response, settings.status, ['location', locationOf(head, settings, scheme)]),
})

function locationOf(head: RequestHead, settings: Redirect, requestScheme: Scheme): string {
  const scheme = settings.scheme ?? requestScheme
  const host = settings.hostname ?? hostOf(head.authority)
  const { path } = settings
  const target = path === undefined ? head.target : rewriteTarget(head.target, path)
  return `${scheme}://${host}${portText(head, settings, scheme)}${target}`
}

/** Another scheme brings its own port; a port that goes without saying is not said. */
function portText(head: RequestHead, { port, scheme: given }: Redirect, scheme: Scheme): string {
  const wellKnown = WELL_KNOWN_PORTS[scheme]
  const chosen = port ?? (given === undefined ? portOf(head.authority, wellKnown) : wellKnown)
  return chosen === wellKnown ? '' : `:${chosen}`
}
