/** The registry that the Mesh resource names, or that of this control plane; a change of the resource changes it. */
import type { CompatibilityLevel, EventSchema } from '@weft/schemas/event-schema'
import type { Log } from '@weft/schemas/node/log'
import { RemoteSchemas } from './remote-schemas.ts'
import type { SchemaLog } from './schema-log.ts'
import { type KnownVersion, OwnSchemas, type SchemaSource } from './schema-source.ts'

export interface MeshSchemasOptions {
  /** Of the Mesh resource, right now; undefined: our own. */
  readonly url: () => string | undefined
  /** `user:password` for it. */
  readonly userInfo: string | undefined
  readonly schemaLog: SchemaLog
  readonly log: Log
}

export class MeshSchemas implements SchemaSource {
  readonly #options: MeshSchemasOptions
  readonly #own: OwnSchemas
  readonly #listeners = new Set<() => void>()
  #remote: { readonly url: string; readonly schemas: RemoteSchemas } | undefined

  constructor(options: MeshSchemasOptions) {
    this.#options = options
    this.#own = new OwnSchemas(options.schemaLog)
  }

  /** Undefined where the control plane's own is in use. */
  get remote(): RemoteSchemas | undefined {
    const url = this.#options.url()
    if (url !== this.#remote?.url) {
      this.#remote?.schemas.close()
      this.#remote = url === undefined ? undefined : { url, schemas: this.#connect(url) }
    }
    return this.#remote?.schemas
  }

  versions(subject: string): readonly KnownVersion[] {
    return this.#chosen.versions(subject)
  }

  fresh(subject: string): Promise<readonly KnownVersion[]> {
    return this.#chosen.fresh(subject)
  }

  register(subject: string, schema: EventSchema): Promise<void> {
    return this.#chosen.register(subject, schema)
  }

  setLevel(subject: string, level: CompatibilityLevel): Promise<void> {
    return this.#chosen.setLevel(subject, level)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    const unsubscribe = this.#own.onChange(listener)
    return () => {
      this.#listeners.delete(listener)
      unsubscribe()
    }
  }

  close(): void {
    this.#remote?.schemas.close()
  }

  get #chosen(): SchemaSource {
    return this.remote ?? this.#own
  }

  #connect(url: string): RemoteSchemas {
    const { userInfo, log } = this.#options
    const schemas = new RemoteSchemas({ url, userInfo, log })
    schemas.onChange(() => {
      for (const listener of this.#listeners) listener()
    })
    return schemas
  }
}
