/** A registry of somebody else's, reached by the same API that this control plane serves. */
import type { CompatibilityLevel, EventSchema, NamedSchema } from '@weft/schemas/event-schema'
import type { Log } from '@weft/schemas/node/log'
import { RegistryError } from './errors.ts'
import { referencesOf } from './log-records.ts'
import type { KnownVersion, SchemaSource } from './schema-source.ts'
import { isSchemaType, type SchemaReference } from './subjects.ts'

export interface RemoteSchemasOptions {
  readonly url: string
  /** `user:password`; undefined: none is sent. */
  readonly userInfo: string | undefined
  readonly log: Log
  /** How often it is asked whether there is something new. Default: 15 s. */
  readonly pollMs?: number
}

export interface RemoteAnswer {
  readonly status: number
  readonly text: string
}

const POLL_MS = 15_000
const TIMEOUT_MS = 10_000
const MAX_ANSWER_BYTES = 8 * 1024 * 1024
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json'
const MAX_REFERENCE_DEPTH = 16

export class RemoteSchemas implements SchemaSource {
  readonly #options: RemoteSchemasOptions
  readonly #listeners = new Set<() => void>()
  /** What was read of each subject that somebody has asked for. A version never changes: it is read once. */
  readonly #subjects = new Map<string, ReadonlyMap<number, KnownVersion>>()
  readonly #timer: NodeJS.Timeout

  constructor(options: RemoteSchemasOptions) {
    this.#options = options
    this.#timer = setInterval(() => void this.#poll(), options.pollMs ?? POLL_MS)
    this.#timer.unref()
  }

  versions(subject: string): readonly KnownVersion[] {
    return [...(this.#subjects.get(subject)?.values() ?? [])]
  }

  async fresh(subject: string): Promise<readonly KnownVersion[]> {
    const before = this.#subjects.get(subject) ?? new Map<number, KnownVersion>()
    const numbers = await this.#versionNumbers(subject)
    const now = new Map<number, KnownVersion>()
    for (const number of numbers) {
      const version = before.get(number) ?? (await this.#read(subject, number))
      if (version !== undefined) now.set(number, version)
    }
    this.#subjects.set(subject, now)
    if ([...before.keys()].join() !== [...now.keys()].join())
      for (const listener of this.#listeners) listener()
    return [...now.values()]
  }

  async register(subject: string, { type, text }: EventSchema): Promise<void> {
    await this.#ask('POST', `/subjects/${encodeURIComponent(subject)}/versions`, {
      schema: text,
      ...(type !== 'AVRO' && { schemaType: type }),
    })
  }

  async setLevel(subject: string, level: CompatibilityLevel): Promise<void> {
    const path = `/config/${encodeURIComponent(subject)}`
    const own = await this.#ask('GET', path).catch(absent)
    if ((own as { compatibilityLevel?: string } | undefined)?.compatibilityLevel === level) return
    await this.#ask('PUT', path, { compatibility: level })
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Sends a request on as it is. Rejects with RegistryError 50003 where there is no answer. */
  async forward(method: string, pathAndQuery: string, body: string | undefined): Promise<RemoteAnswer> {
    const { url, userInfo } = this.#options
    try {
      const response = await fetch(url.replace(/\/+$/, '') + pathAndQuery, {
        method,
        headers: {
          accept: `${CONTENT_TYPE}, application/json`,
          ...(body !== undefined && { 'content-type': CONTENT_TYPE }),
          ...(userInfo !== undefined && {
            authorization: `Basic ${Buffer.from(userInfo).toString('base64')}`,
          }),
        },
        ...(body !== undefined && { body }),
        // Credentials are for this address, and no other.
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      return { status: response.status, text: await textOf(response) }
    } catch (error) {
      throw new RegistryError(50003, `the schema registry at ${url} does not answer: ${reasonOf(error)}`)
    }
  }

  async #versionNumbers(subject: string): Promise<readonly number[]> {
    const found = await this.#ask('GET', `/subjects/${encodeURIComponent(subject)}/versions`).catch(absent)
    return Array.isArray(found) ? found.filter((one): one is number => Number.isInteger(one)) : []
  }

  /** Undefined for a type that is not known here. */
  async #read(subject: string, version: number): Promise<KnownVersion | undefined> {
    const { id, type, text, references } = await this.#readText(subject, version)
    if (!isSchemaType(type)) return undefined
    const named: NamedSchema[] = []
    await this.#readReferences(references, named, 0)
    return { id, version, type, text, ...(named.length > 0 && { references: named }) }
  }

  async #readReferences(
    references: readonly SchemaReference[],
    named: NamedSchema[],
    depth: number,
  ): Promise<void> {
    if (depth > MAX_REFERENCE_DEPTH)
      throw new RegistryError(42201, `expected references at most ${MAX_REFERENCE_DEPTH} deep`)
    for (const { name, subject, version } of references) {
      const referenced = await this.#readText(subject, version)
      await this.#readReferences(referenced.references, named, depth + 1)
      if (!named.some((one) => one.text === referenced.text)) named.push({ name, text: referenced.text })
    }
  }

  async #readText(subject: string, version: number) {
    const found = (await this.#ask(
      'GET',
      `/subjects/${encodeURIComponent(subject)}/versions/${version}`,
    )) as Readonly<Record<string, unknown>>
    const { id, schema, schemaType: type = 'AVRO', references } = found
    if (!Number.isInteger(id) || typeof schema !== 'string')
      throw new RegistryError(50003, `expected an id and a schema of ${subject} version ${version}`)
    return { id: id as number, type, text: schema, references: referencesOf(references) }
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const { status, text } = await this.forward(
      method,
      path,
      body === undefined ? undefined : JSON.stringify(body),
    )
    const answer = parsed(text)
    if (status < 300) return answer
    const { message = `it answered ${status}`, error_code: code } = (answer ?? {}) as {
      message?: string
      error_code?: number
    }
    if (status === 404 && method === 'GET') throw new RegistryError(40401, path)
    const isItsFault = status >= 500 || status === 401 || status === 403
    throw new RegistryError(isItsFault ? 50003 : 422, `${message}${code === undefined ? '' : ` (${code})`}`)
  }

  async #poll(): Promise<void> {
    for (const subject of [...this.#subjects.keys()])
      await this.fresh(subject).catch((error: unknown) =>
        this.#options.log.debug({ error, subject }, 'the schema registry could not be asked'),
      )
  }
}

function absent(error: unknown): undefined {
  if (error instanceof RegistryError && error.status === 404) return undefined
  throw error
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`expected at most ${MAX_ANSWER_BYTES} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts).toString()
}

const reasonOf = (error: unknown): string =>
  error instanceof Error
    ? error.cause instanceof Error
      ? error.cause.message
      : error.message
    : String(error)
