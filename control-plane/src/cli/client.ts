import { isIP } from 'node:net'
import { CliError } from './errors.ts'
import { refusal } from './problem.ts'

interface ClientOptions {
  readonly url: string
  readonly timeoutMs: number
  /** Read when a call needs it, so that reading the mesh works without a token. */
  readonly readToken?: () => Promise<string>
}

type Query = Readonly<Record<string, string | undefined>>

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly query?: Query
  readonly body?: string
  readonly contentType?: string
  /** The status that is an answer too, not an error: it comes back as undefined. */
  readonly absent?: 404
  /** A question that changes nothing: it needs no token. */
  readonly open?: true
}

/** Largest answer that is read: a list of every resource of a big mesh fits, an endless stream does not. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024

/** Calls of the control plane's HTTP API. Every failure is a CliError that says what to do. */
export class ControlPlaneClient {
  readonly url: string
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '')
    this.#options = options
  }

  /** Reads `path`. The type is the caller's word for what the contract says this path answers. */
  async get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.#call(path, { query })) as T
  }

  /** As `get`; undefined where it is not there. */
  async find<T>(path: string): Promise<T | undefined> {
    return (await this.#call(path, { absent: 404 })) as T | undefined
  }

  /** Sends a JSON value. */
  async send<T>(method: 'POST' | 'PUT', path: string, value: unknown): Promise<T> {
    return (await this.#call(path, {
      method,
      body: JSON.stringify(value),
      contentType: 'application/json',
    })) as T
  }

  /** Asks with a JSON value; changes nothing and needs no token. */
  async ask<T>(path: string, value: unknown): Promise<T> {
    return (await this.#call(path, {
      method: 'POST',
      open: true,
      body: JSON.stringify(value),
      contentType: 'application/json',
    })) as T
  }

  /** Sends YAML documents as they are, so that faults carry the sender's own lines. */
  async sendYaml<T>(method: 'POST' | 'PUT', path: string, yaml: string, query: Query): Promise<T> {
    return (await this.#call(path, { method, body: yaml, contentType: 'application/yaml', query })) as T
  }

  /** False where it was not there. */
  async delete(path: string): Promise<boolean> {
    return (await this.#call(path, { method: 'DELETE', absent: 404 })) !== undefined
  }

  /** The status of `path`, whatever it is. */
  async status(path: string): Promise<number> {
    const response = await this.#fetch(path, {})
    await response.body?.cancel()
    return response.status
  }

  async #call(path: string, call: Call): Promise<unknown> {
    const response = await this.#fetch(path, call)
    const text = await this.#read(response)
    if (response.ok) return text === '' ? {} : parse(text, `${this.url}${path}`)
    if (response.status === call.absent) return undefined
    throw refusal(response.status, text, `${call.method ?? 'GET'} ${path}`)
  }

  async #fetch(path: string, call: Call): Promise<Response> {
    const url = new URL(this.url + path)
    for (const [name, value] of Object.entries(call.query ?? {}))
      if (value !== undefined) url.searchParams.set(name, value)
    const headers: Record<string, string> = { accept: 'application/json, application/problem+json' }
    if (call.contentType !== undefined) headers['content-type'] = call.contentType
    if (call.method !== undefined && call.open !== true && this.#options.readToken !== undefined) {
      if (url.protocol === 'http:' && !isLoopback(url.hostname))
        throw new CliError(`the admin token would cross the network unencrypted to ${url.host}`, {
          hint: 'Use an https URL, or a tunnel to a loopback port.',
        })
      headers.authorization = `Bearer ${await this.#options.readToken()}`
    }
    try {
      return await fetch(url, {
        method: call.method ?? 'GET',
        headers,
        ...(call.body !== undefined && { body: call.body }),
        signal: AbortSignal.timeout(this.#options.timeoutMs),
        redirect: 'error',
      })
    } catch (error) {
      throw this.#unreachable(error)
    }
  }

  async #read(response: Response): Promise<string> {
    const parts: Uint8Array[] = []
    let length = 0
    try {
      for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        length += part.byteLength
        if (length > MAX_ANSWER_BYTES) throw new RangeError(`more than ${MAX_ANSWER_BYTES} bytes`)
        parts.push(part)
      }
    } catch (error) {
      if (error instanceof RangeError)
        throw new CliError(`the answer of ${this.url} is too long: ${error.message}`)
      throw this.#unreachable(error)
    }
    return Buffer.concat(parts).toString('utf8')
  }

  #unreachable(error: unknown): CliError {
    const { url } = this
    if (error instanceof Error && error.name === 'TimeoutError')
      return new CliError(
        `the control plane at ${url} did not answer within ${this.#options.timeoutMs / 1000} s`,
        {
          hint: 'Give it more time with --timeout, or look at its log.',
          cause: error,
        },
      )
    const cause = error instanceof Error ? error.cause : undefined
    const why = causeText(cause) ?? (error instanceof Error ? error.message : String(error))
    return new CliError(`no control plane at ${url} (${why})`, {
      hint: 'Start one with `weft up`, or name another with --control-plane or WEFT_CONTROL_PLANE_URL.',
      cause: error,
    })
  }
}

function causeText(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const code = (cause as NodeJS.ErrnoException).code
  return code === 'ECONNREFUSED' ? 'connection refused' : (code ?? cause.message)
}

export const isLoopback = (host: string): boolean => {
  const bare = host.replace(/^\[|\]$/g, '')
  return (
    bare === 'localhost' ||
    bare.endsWith('.localhost') ||
    bare === '::1' ||
    (isIP(bare) === 4 && bare.startsWith('127.'))
  )
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError(`${url} did not answer JSON`, {
      hint: 'Is this the port of a Weft control plane?',
      cause: error,
    })
  }
}
