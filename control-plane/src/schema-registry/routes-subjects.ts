import { MAX_SCHEMA_CHARACTERS } from '@weft/schemas/event-schema'
import type { FastifyInstance } from 'fastify'
import { RegistryError } from './errors.ts'
import { referencesOf } from './log-records.ts'
import { findVersion, incompatible, type SchemaRegistry, usable } from './registry.ts'
import { isSameSchema, isSchemaType, type SchemaText, type SchemaVersion } from './subjects.ts'

interface OfSubject {
  readonly Params: { readonly subject: string }
  readonly Querystring: Record<string, string>
}
interface OfVersion {
  readonly Params: { readonly subject: string; readonly version: string }
  readonly Querystring: Record<string, string>
}

export const isSet = (query: Readonly<Record<string, string>>, name: string): boolean =>
  query[name] === 'true'

/** `:*:` stands for every context; there is one. */
export const prefixIn = ({ subjectPrefix = '' }: Readonly<Record<string, string>>): string =>
  String(subjectPrefix).replace(/^:\*:/, '')

export function registerSubjectRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  app.get<{ Querystring: Record<string, string> }>('/subjects', ({ query }) =>
    registry.ask((subjects) => {
      const prefix = prefixIn(query)
      return subjects.names().filter((name) => {
        if (!name.startsWith(prefix)) return false
        const isLive = subjects.live(name).length > 0
        return isSet(query, 'deletedOnly') ? !isLive : isLive || isSet(query, 'deleted')
      })
    }),
  )
  app.get<OfSubject>('/subjects/:subject/versions', ({ params: { subject }, query }) =>
    registry.ask((subjects) => {
      const all = subjects.versions(subject)
      const live = subjects.live(subject)
      const chosen = isSet(query, 'deletedOnly')
        ? all.filter(({ isDeleted }) => isDeleted)
        : isSet(query, 'deleted')
          ? all
          : live
      if (chosen.length === 0) throw new RegistryError(40401, subject)
      return chosen.map(({ version }) => version)
    }),
  )
  app.post<OfSubject & { Body: unknown }>('/subjects/:subject/versions', async ({ params, body }) => {
    const version = await registry.register(params.subject, schemaOf(body))
    return versionBody(version)
  })
  app.post<OfSubject & { Body: unknown }>('/subjects/:subject', ({ params: { subject }, body, query }) => {
    const schema = schemaOf(body)
    return registry.ask((subjects) => {
      const versions = isSet(query, 'deleted') ? subjects.versions(subject) : subjects.live(subject)
      if (versions.length === 0) throw new RegistryError(40401, subject)
      const found = versions.findLast((one) => isSameSchema(one, schema))
      if (found !== undefined) return versionBody(found)
      usable(subjects, schema)
      throw new RegistryError(40403)
    })
  })
  app.delete<OfSubject>('/subjects/:subject', ({ params, query }) =>
    registry.deleteSubject(params.subject, isSet(query, 'permanent')),
  )
  app.delete<OfVersion>('/subjects/:subject/versions/:version', ({ params, query }) =>
    registry.deleteVersion(params.subject, params.version, isSet(query, 'permanent')),
  )
  registerVersionRoutes(app, registry)
  registerCompatibilityRoutes(app, registry)
}

function registerVersionRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  const find = ({ params, query }: { params: OfVersion['Params']; query: Record<string, string> }) =>
    registry.ask((subjects) =>
      findVersion(subjects, {
        subject: params.subject,
        which: params.version,
        withDeleted: isSet(query, 'deleted'),
      }),
    )

  app.get<OfVersion>('/subjects/:subject/versions/:version', async (request) =>
    versionBody(await find(request)),
  )
  app.get<OfVersion>('/subjects/:subject/versions/:version/schema', async (request, reply) =>
    reply.type('application/json').send((await find(request)).text),
  )
  app.get<OfVersion>('/subjects/:subject/versions/:version/referencedby', async (request) => {
    const version = await find(request)
    const referring = await registry.ask((subjects) => subjects.referringTo(version))
    return referring.map(({ id }) => id)
  })
}

function registerCompatibilityRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  const answer = (faults: readonly string[], query: Readonly<Record<string, string>>) => ({
    is_compatible: faults.length === 0,
    ...(isSet(query, 'verbose') && { messages: faults }),
  })
  app.post<OfSubject & { Body: unknown }>(
    '/compatibility/subjects/:subject/versions',
    ({ params, body, query }) => {
      const schema = schemaOf(body)
      return registry.ask((subjects) => answer(incompatible(subjects, params.subject, schema), query))
    },
  )
  app.post<OfVersion & { Body: unknown }>(
    '/compatibility/subjects/:subject/versions/:version',
    ({ params, body, query }) => {
      const schema = schemaOf(body)
      const { subject, version: which } = params
      return registry.ask((subjects) => {
        const against = findVersion(subjects, { subject, which, withDeleted: false })
        return answer(incompatible(subjects, subject, schema, [against]), query)
      })
    },
  )
}

/** What is sent to be registered, looked up or checked. Throws RegistryError. */
function schemaOf(body: unknown): SchemaText {
  if (typeof body !== 'object' || body === null)
    throw new RegistryError(422, 'expected a JSON object with the member schema')
  const { schema, schemaType, references } = body as Record<string, unknown>
  const type = schemaType ?? 'AVRO'
  if (!isSchemaType(type))
    throw new RegistryError(
      42201,
      `expected schemaType AVRO or JSON, came ${JSON.stringify(type).slice(0, 40)}`,
    )
  if (typeof schema !== 'string' || schema.trim() === '')
    throw new RegistryError(42201, 'expected the text of the schema in the member schema')
  if (schema.length > MAX_SCHEMA_CHARACTERS)
    throw new RegistryError(
      42201,
      `expected at most ${MAX_SCHEMA_CHARACTERS} characters, came ${schema.length}`,
    )
  return { type, text: schema, references: referencesIn(references) }
}

function referencesIn(value: unknown): SchemaText['references'] {
  try {
    return referencesOf(value)
  } catch (error) {
    throw new RegistryError(42201, String(error))
  }
}

/** AVRO is not said, as it was not when there was nothing else; nor references where there are none. */
export function versionBody({ subject, version, id, ...schema }: SchemaVersion): Record<string, unknown> {
  return { subject, version, id, ...schemaBody(schema) }
}

export const schemaBody = ({ type, references, text }: SchemaText): Record<string, unknown> => ({
  ...(type !== 'AVRO' && { schemaType: type }),
  ...(references.length > 0 && { references }),
  schema: text,
})
