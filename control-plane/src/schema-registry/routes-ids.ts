import { SCHEMA_TYPES } from '@weft/schemas/event-schema'
import type { FastifyInstance } from 'fastify'
import { RegistryError } from './errors.ts'
import type { SchemaRegistry } from './registry.ts'
import { isSet, prefixIn, schemaBody, versionBody } from './routes-subjects.ts'
import type { SchemaVersion } from './subjects.ts'

interface OfId {
  readonly Params: { readonly id: string }
  readonly Querystring: Record<string, string>
}

export function registerIdRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  /** All that have this text; a schema that is deleted softly is still found by its id, because records carry it. */
  const withId = (id: string) =>
    registry.ask((subjects) => {
      const found = /^\d{1,10}$/.test(id) ? subjects.withId(Number(id)) : []
      const [first] = found
      if (first === undefined) throw new RegistryError(40403)
      return { first, found, lastId: subjects.lastId }
    })
  const seen = (found: readonly SchemaVersion[], query: Readonly<Record<string, string>>) =>
    found.filter(({ isDeleted }) => !isDeleted || isSet(query, 'deleted'))

  app.get('/schemas/types', () => SCHEMA_TYPES.toReversed())
  app.get<{ Querystring: Record<string, string> }>('/schemas', ({ query }) =>
    registry.ask((subjects) =>
      subjects
        .names()
        .filter((name) => name.startsWith(prefixIn(query)))
        .flatMap((name) => seen(subjects.versions(name), query).slice(isSet(query, 'latestOnly') ? -1 : 0))
        .map(versionBody),
    ),
  )
  app.get<OfId>('/schemas/ids/:id', async ({ params, query }) => {
    const { first, lastId } = await withId(params.id)
    return { ...schemaBody(first), ...(isSet(query, 'fetchMaxId') && { maxId: lastId }) }
  })
  app.get<OfId>('/schemas/ids/:id/schema', async ({ params }, reply) =>
    reply.type('application/json').send((await withId(params.id)).first.text),
  )
  app.get<OfId>('/schemas/ids/:id/subjects', async ({ params, query }) =>
    seen((await withId(params.id)).found, query).map(({ subject }) => subject),
  )
  app.get<OfId>('/schemas/ids/:id/versions', async ({ params, query }) =>
    seen((await withId(params.id)).found, query).map(({ subject, version }) => ({ subject, version })),
  )
  app.get('/contexts', () => ['.'])
}
