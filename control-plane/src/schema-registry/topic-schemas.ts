/**
 * The schemas of topics: what their resources say is brought into the registry, and what the registry has of them goes to the sidecars.
 *
 *   change of resources ─┐
 *   change of schemas ───┼→ for each topic: level → definition → status
 *   retry after backoff ─┘
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventSchema } from '@weft/schemas/event-schema'
import type { Log } from '@weft/schemas/node/log'
import type { Resource, TopicResource, TopicSchemaSpec } from '@weft/schemas/resources'
import type { TopicSchema } from '@weft/schemas/snapshot'
import type { TopicStatus } from '../reconcile/index.ts'
import { type Passes, startPasses } from '../reconcile/passes.ts'
import { RegistryError } from './errors.ts'
import type { SchemaSource } from './schema-source.ts'

export interface TopicSchemasOptions {
  readonly source: SchemaSource
  readonly resources: () => readonly Resource[]
  readonly onChange: (listener: () => void) => () => void
  readonly log: Log
}

/** A registry that is away must not keep the mesh from starting. */
const FIRST_PASS_MS = 5_000
/** What a sidecar is told of a subject: more versions than anybody has records of, in a snapshot that stays small. */
const MAX_VERSIONS = 50
const MAX_CHARACTERS = 256 * 1024

export class TopicSchemas {
  readonly #options: TopicSchemasOptions
  readonly #statuses = new Map<string, TopicStatus>()
  readonly #passes: Passes

  constructor(options: TopicSchemasOptions) {
    this.#options = options
    this.#passes = startPasses({
      pass: () => this.#pass(),
      onChange: [options.onChange, (listener) => options.source.onChange(listener)],
    })
  }

  /** By the name in Kafka; undefined for a topic without a schema. */
  status(topic: string): TopicStatus | undefined {
    const isAsked = this.#topics().some(({ spec }) => spec.name === topic)
    return isAsked
      ? (this.#statuses.get(topic) ?? { state: 'pending', message: 'its schema is not looked at yet' })
      : undefined
  }

  /** What sidecars are told: the newest first. */
  schemaOf({ type, subject, validation }: TopicSchemaSpec): TopicSchema {
    const wanted = typeOf(type)
    const versions = []
    let characters = 0
    for (const version of this.#options.source.versions(subject).toReversed()) {
      if (version.type !== wanted) continue
      characters += version.text.length
      if (versions.length > 0 && (versions.length >= MAX_VERSIONS || characters > MAX_CHARACTERS)) break
      versions.push(version)
    }
    return {
      type: wanted,
      subject,
      validation,
      versions: versions.map(({ id, text, references }) => ({ id, text, ...(references && { references }) })),
    }
  }

  /** Resolves when each topic's schema has been looked for once, or the time is over: what could be known at the start is. */
  async firstPass(): Promise<void> {
    await Promise.race([this.#passes.first, sleep(FIRST_PASS_MS, undefined, { ref: false })])
  }

  close(): Promise<void> {
    return this.#passes.close()
  }

  #topics() {
    return this.#options.resources().filter(hasSchema)
  }

  /** False where it has to be tried again by itself. */
  async #pass(): Promise<boolean> {
    const topics = this.#topics()
    const names = new Set(topics.map(({ spec }) => spec.name))
    for (const name of this.#statuses.keys()) if (!names.has(name)) this.#statuses.delete(name)
    let isSettled = true
    for (const { spec } of topics) {
      const status = await this.#bring(spec.schema)
      this.#set(spec.name, status)
      if (status.state === 'pending') isSettled = false
    }
    return isSettled
  }

  async #bring({ type, subject, definition, compatibility }: TopicSchemaSpec): Promise<TopicStatus> {
    const { source } = this.#options
    try {
      if (compatibility !== undefined) await source.setLevel(subject, compatibility)
      if (definition !== undefined) await source.register(subject, { type: typeOf(type), text: definition })
      const latest = (await source.fresh(subject)).at(-1)
      // For a person to do, who needs the mesh for it: nothing waits until then.
      if (latest === undefined)
        return {
          state: 'ready',
          message: `nothing is taken: no schema is registered for ${subject}; register one, or write spec.schema.definition`,
        }
      if (latest.type !== typeOf(type))
        return {
          state: 'error',
          message: `the latest version of ${subject} is ${latest.type}, expected ${typeOf(type)}`,
        }
      return { state: 'ready' }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const isRefused = error instanceof RegistryError && error.status < 500
      return { state: isRefused ? 'error' : 'pending', message }
    }
  }

  #set(topic: string, status: TopicStatus): void {
    const before = this.#statuses.get(topic)
    this.#statuses.set(topic, status)
    if (before?.state === status.state && before.message === status.message) return
    const fields = { topic, ...status }
    if (status.state === 'ready' && status.message !== undefined)
      this.#options.log.warn(fields, 'the topic has no schema yet')
    else if (status.state === 'ready') this.#options.log.info(fields, 'the schema of the topic is in force')
    else if (status.state === 'error')
      this.#options.log.error(
        fields,
        'the schema of the topic is refused; the versions before it stay in force',
      )
    else this.#options.log.warn(fields, 'the schema of the topic is not in force yet; trying again')
  }
}

/** What is to be said of a topic: its own state, or that of its schema where that is not as good. */
export function worseOf(topic: TopicStatus, schema: TopicStatus | undefined): TopicStatus {
  const isWorse = schema !== undefined && (schema.state !== 'ready' || schema.message !== undefined)
  return topic.state === 'ready' && isWorse ? schema : topic
}

type TopicWithSchema = TopicResource & { readonly spec: { readonly schema: TopicSchemaSpec } }

const hasSchema = (resource: Resource): resource is TopicWithSchema =>
  resource.kind === 'Topic' && resource.spec.schema !== undefined

const typeOf = (type: TopicSchemaSpec['type']): EventSchema['type'] => (type === 'avro' ? 'AVRO' : 'JSON')
