/**
 * Session persistence (GEP-1619): the client keeps the name of the endpoint that answered it, and comes back to it.
 *
 * The name is a digest of what the endpoint is, and is only ever looked up among the endpoints of the rule's own backends:
 * whatever a client makes up leads to one of those, or to none, and then a session begins. It holds across snapshots,
 * restarts and sidecars, because it is made of nothing that those could change.
 */
import { createHash } from 'node:crypto'
import type { RouteSession } from '@weft/schemas/snapshot-routes'
import {
  ForwardingResponse,
  type RequestHead,
  type ResponseHandler,
  type ResponseHead,
  type Service,
} from '../../transport/exchange.ts'
import { cookieValue, firstValue } from '../../transport/fields.ts'
import type { LiveEndpoint } from '../endpoint.ts'

/** A backend with the endpoints that a session may come back to. */
export interface SessionBackend {
  readonly service: Service
  /** `namespace/name`. */
  readonly name: string
  readonly endpoints: readonly LiveEndpoint[]
}

export interface SessionOptions {
  readonly settings: RouteSession
  readonly backends: readonly SessionBackend[]
  readonly isSecure: boolean
}

/** `inner` chooses for requests without a session; those with one go to its backend, whatever its weight. */
export function persistSessions(inner: Service, options: SessionOptions): Service {
  const sessions = new Sessions(options)
  return {
    call(head, response) {
      const session = sessions.of(head)
      const watched = new SessionResponse(response, { head, session, sessions })
      if (session === undefined) return inner.call(head, watched)
      head.notes.pinned = session.endpoint
      return session.service.call(head, watched)
    },
  }
}

interface Session {
  readonly endpoint: object
  readonly service: Service
  /** Unix time. */
  readonly startedAtSeconds: number
}

const SECOND_MS = 1_000
const nowSeconds = (): number => Math.floor(Date.now() / SECOND_MS)

class Sessions {
  readonly #options: SessionOptions
  readonly #byDigest = new Map<string, Omit<Session, 'startedAtSeconds'>>()
  readonly #digestOf = new Map<object, string>()

  constructor(options: SessionOptions) {
    this.#options = options
    for (const { service, name, endpoints } of options.backends)
      for (const endpoint of endpoints) {
        const digest = digestOf(`${name} ${endpoint.key}`)
        this.#byDigest.set(digest, { endpoint, service })
        this.#digestOf.set(endpoint, digest)
      }
  }

  /** The session of a request; undefined where it has none, or one that has ended. */
  of(head: RequestHead): Session | undefined {
    const { type, name, maxAgeSeconds } = this.#options.settings
    const value = type === 'Header' ? firstValue(head.fields, name) : cookieValue(head.fields, name)
    const parts = value === undefined ? null : TOKEN.exec(value)
    if (parts === null) return undefined
    const found = this.#byDigest.get(parts[1] ?? '')
    const startedAtSeconds = Number.parseInt(parts[2] ?? '', 36)
    const ageSeconds = nowSeconds() - startedAtSeconds
    const isOver = maxAgeSeconds > 0 && (ageSeconds >= maxAgeSeconds || ageSeconds < 0)
    return found === undefined || isOver ? undefined : { ...found, startedAtSeconds }
  }

  /** The field by which the client keeps its session; undefined for an endpoint that is no longer known. */
  field(endpoint: object): readonly [name: string, value: string] | undefined {
    const { settings, isSecure } = this.#options
    const digest = this.#digestOf.get(endpoint)
    if (digest === undefined) return undefined
    const token = `${digest}.${nowSeconds().toString(36)}`
    if (settings.type === 'Header') return [settings.name, token]
    const lifetime = settings.isPermanent ? `; Max-Age=${settings.maxAgeSeconds}` : ''
    // In a mesh the last step is plain text on loopback, where a Secure cookie would not come back.
    const secure = isSecure ? '; Secure' : ''
    return [
      'set-cookie',
      `${settings.name}=${token}; Path=${settings.path}${lifetime}${secure}; HttpOnly; SameSite=Strict`,
    ]
  }
}

const DIGEST_CHARACTERS = 22
const TOKEN = /^([A-Za-z0-9_-]{22})\.([0-9a-z]{1,9})$/

const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_CHARACTERS)

interface Watched {
  readonly head: RequestHead
  readonly session: Session | undefined
  readonly sessions: Sessions
}

/** Tells the client where it has been answered, unless it came with that. */
class SessionResponse extends ForwardingResponse {
  readonly #watched: Watched

  constructor(next: ResponseHandler, watched: Watched) {
    super(next)
    this.#watched = watched
  }

  override onHead(head: ResponseHead): void {
    const { head: request, session, sessions } = this.#watched
    const { tried } = request.notes
    const field = tried === undefined || tried === session?.endpoint ? undefined : sessions.field(tried)
    if (field !== undefined) head.fields.push(...field)
    this.next.onHead(head)
  }
}
