/** Dead letters over HTTP. All of it by POST, which asks for the admin token: records are nobody's business who can merely reach the port. */
import { MeshError } from '@weft/schemas/error'
import type { Resource, SubscriptionResource } from '@weft/schemas/resources'
import type { FastifyInstance } from 'fastify'
import type { DeadLetterDesk } from './desk.ts'

interface Params {
  readonly namespace: string
  readonly name: string
}

const LETTER = { type: 'string', pattern: '^[0-9]{1,9}/[0-9]{1,19}$' } as const
const MAX_LISTED = 10_000
const MAX_NAMED = 10_000

const LIST = {
  type: 'object',
  additionalProperties: false,
  required: ['limit'],
  properties: { limit: { type: 'integer', minimum: 1, maximum: MAX_LISTED } },
} as const

const SHOW = {
  type: 'object',
  additionalProperties: false,
  required: ['letter'],
  properties: { letter: LETTER },
} as const

const DECIDE = {
  type: 'object',
  oneOf: [
    {
      additionalProperties: false,
      required: ['letters'],
      properties: { letters: { type: 'array', items: LETTER, minItems: 1, maxItems: MAX_NAMED } },
    },
    { additionalProperties: false, required: ['all'], properties: { all: { const: true } } },
  ],
} as const

export function registerDeadLetterRoutes(
  app: FastifyInstance,
  { desk, resources }: { readonly desk: DeadLetterDesk; readonly resources: () => readonly Resource[] },
): void {
  const subscriptionOf = ({ namespace, name }: Params): SubscriptionResource => {
    const found = resources().find(
      (resource): resource is SubscriptionResource =>
        resource.kind === 'Subscription' &&
        resource.metadata.namespace === namespace &&
        resource.metadata.name === name,
    )
    if (found === undefined) throw new MeshError('not_found', `there is no Subscription ${namespace}/${name}`)
    return found
  }
  const url = '/api/v1/namespaces/:namespace/subscriptions/:name/dead-letters'

  app.post<{ Params: Params; Body: { limit: number } }>(
    `${url}/list`,
    { schema: { body: LIST } },
    (request) => asked(desk.list(subscriptionOf(request.params), request.body.limit)),
  )
  app.post<{ Params: Params; Body: { letter: string } }>(
    `${url}/show`,
    { schema: { body: SHOW } },
    (request) => asked(desk.show(subscriptionOf(request.params), request.body.letter)),
  )
  for (const what of ['redrive', 'drop'] as const)
    app.post<{ Params: Params; Body: { letters?: readonly string[] } }>(
      `${url}/${what}`,
      { schema: { body: DECIDE } },
      (request) => asked(desk.decide(subscriptionOf(request.params), request.body.letters, what)),
    )
}

/** What the broker does not answer is not the caller's fault. */
async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof MeshError) throw error
    throw new MeshError('broker_unavailable', `the broker could not be asked: ${String(error)}`, {
      cause: error,
    })
  }
}
