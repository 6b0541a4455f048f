/** CORS (GEP-1767): answers preflights, and says of other answers which pages may read them. */
import type { CorsSettings } from '@weft/schemas/snapshot-routes'
import {
  type Fields,
  ForwardingResponse,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../../transport/exchange.ts'
import { firstValue, removeFields } from '../../transport/fields.ts'
import { answer } from './answer.ts'

export function cors(inner: Service, settings: CorsSettings | undefined): Service {
  if (settings === undefined) return inner
  const isAllowed = originTest(settings.allowOrigins)
  return {
    call(head, response) {
      const origin = firstValue(head.fields, 'origin')
      if (origin === undefined) return inner.call(head, response)
      const allowed = isAllowed(origin) ? origin : undefined
      const method = firstValue(head.fields, 'access-control-request-method')
      if (head.method === 'OPTIONS' && method !== undefined)
        return answer(response, PREFLIGHT_STATUS, preflightFields(head, { settings, allowed, method }))
      const fields = allowed === undefined ? [] : [...originFields(settings, allowed), ...exposed(settings)]
      return inner.call(head, new SharedResponse(response, fields))
    },
  }
}

const PREFLIGHT_STATUS = 204

function originTest(origins: readonly string[]): (origin: string) => boolean {
  const tests = origins.map((allowed) => {
    if (allowed === '*') return () => true
    const [before = '', after] = allowed.split('*')
    if (after === undefined) return (origin: string) => origin === allowed
    return (origin: string) =>
      origin.length > before.length + after.length &&
      origin.startsWith(before) &&
      origin.endsWith(after) &&
      LABELS.test(origin.slice(before.length, origin.length - after.length))
  })
  return (origin) => tests.some((test) => test(origin))
}

/** What `*` stands for: any number of labels, and nothing that would end the host. */
const LABELS = /^[a-z0-9.-]+$/

interface Preflight {
  readonly settings: CorsSettings
  readonly allowed: string | undefined
  readonly method: string
}

function preflightFields(head: RequestHead, { settings, allowed, method }: Preflight): Fields {
  if (allowed === undefined) return ['vary', 'origin']
  const { allowMethods, allowHeaders, allowCredentials, maxAgeSeconds } = settings
  const fields = [...originFields(settings, allowed)]
  const methods = listText(allowMethods, allowCredentials ? method : '*')
  const wanted = firstValue(head.fields, 'access-control-request-headers')
  const headers = listText(allowHeaders, allowCredentials ? wanted : '*')
  if (methods !== undefined) fields.push('access-control-allow-methods', methods)
  if (headers !== undefined) fields.push('access-control-allow-headers', headers)
  fields.push('access-control-max-age', String(maxAgeSeconds))
  return fields
}

/** The origin itself and never `*`: that would be wrong beside credentials, and is right beside `vary` everywhere. */
const originFields = ({ allowCredentials }: CorsSettings, origin: string): Fields => [
  'access-control-allow-origin',
  origin,
  'vary',
  'origin',
  ...(allowCredentials ? ['access-control-allow-credentials', 'true'] : []),
]

const exposed = ({ exposeHeaders }: CorsSettings): Fields =>
  exposeHeaders.length === 0 ? [] : ['access-control-expose-headers', exposeHeaders.join(', ')]

/** `*` in the list becomes `any`; nothing to say for an empty list. */
function listText(names: readonly string[], any: string | undefined): string | undefined {
  if (names.length === 0) return undefined
  return names.includes('*') ? any : names.join(', ')
}

/** What the app says of CORS is replaced: two answers to one question are none. */
class SharedResponse extends ForwardingResponse {
  readonly #fields: Fields

  constructor(next: ResponseHandler, fields: Fields) {
    super(next)
    this.#fields = fields
  }

  override onHead(head: ResponseHead): void {
    removeFields(head.fields, (name) => name.startsWith('access-control-'))
    head.fields.push(...this.#fields)
    this.next.onHead(head)
  }
}
