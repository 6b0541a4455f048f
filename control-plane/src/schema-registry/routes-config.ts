import type { FastifyInstance, FastifyReply } from 'fastify'
import { RegistryError } from './errors.ts'
import type { SchemaRegistry } from './registry.ts'
import { isSet } from './routes-subjects.ts'
import { isLevel } from './subjects.ts'

interface OfSubject {
  readonly Params: { readonly subject: string }
  readonly Querystring: Record<string, string>
}

export function registerConfigRoutes(app: FastifyInstance, registry: SchemaRegistry): void {
  app.get('/config', () => registry.ask(({ level }) => ({ compatibilityLevel: level })))
  app.get<OfSubject>('/config/:subject', ({ params: { subject }, query }) =>
    registry.ask((subjects) => {
      const own = subjects.ownLevel(subject)
      if (own === undefined && !isSet(query, 'defaultToGlobal')) throw new RegistryError(40408, subject)
      return { compatibilityLevel: own ?? subjects.level }
    }),
  )
  app.put<{ Body: unknown }>('/config', async ({ body }) => {
    const compatibility = levelIn(body)
    await registry.setLevel(undefined, compatibility)
    return { compatibility }
  })
  app.put<OfSubject & { Body: unknown }>('/config/:subject', async ({ params, body }) => {
    const compatibility = levelIn(body)
    await registry.setLevel(params.subject, compatibility)
    return { compatibility }
  })
  const unset = async (subject: string | undefined, reply: FastifyReply) =>
    // JSON, of which a text by itself is one.
    reply.type('application/json').send(JSON.stringify(await registry.setLevel(subject, undefined)))
  app.delete('/config', (_request, reply) => unset(undefined, reply))
  app.delete<OfSubject>('/config/:subject', ({ params }, reply) => unset(params.subject, reply))
  // Nothing but it is offered; clients ask before they write.
  app.get('/mode', () => ({ mode: 'READWRITE' }))
  app.get<OfSubject>('/mode/:subject', () => ({ mode: 'READWRITE' }))
}

function levelIn(body: unknown) {
  const { compatibility } = (body ?? {}) as Record<string, unknown>
  const level = typeof compatibility === 'string' ? compatibility.toUpperCase() : compatibility
  if (!isLevel(level)) throw new RegistryError(42203, JSON.stringify(compatibility ?? null).slice(0, 40))
  return level
}
