/** POST /api/v1/topics/{topic}/groups/{group}/rewind. It asks for the admin token, as every POST does. */
import { MeshError } from '@weft/schemas/error'
import type { FastifyInstance } from 'fastify'
import type { Target } from './places.ts'
import type { Rewinder } from './rewinder.ts'

const OFFSET = { type: 'integer', minimum: 0 } as const

const BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['to'],
  properties: {
    dryRun: { type: 'boolean' },
    to: {
      oneOf: [
        { enum: ['earliest', 'latest'] },
        {
          type: 'object',
          additionalProperties: false,
          required: ['timeMs'],
          properties: { timeMs: { type: 'integer', minimum: 0 } },
        },
        {
          type: 'object',
          additionalProperties: false,
          required: ['offsets'],
          properties: {
            offsets: {
              type: 'object',
              patternProperties: { '^[0-9]{1,6}$': OFFSET },
              additionalProperties: false,
              minProperties: 1,
            },
          },
        },
      ],
    },
  },
}

interface Rewind {
  readonly Params: { readonly topic: string; readonly group: string }
  readonly Body: { readonly to: Target; readonly dryRun?: boolean }
}

export function registerRewindRoutes(app: FastifyInstance, rewinder: Rewinder): void {
  app.post<Rewind>(
    '/api/v1/topics/:topic/groups/:group/rewind',
    { schema: { body: BODY } },
    async ({ params, body }) => {
      try {
        return await rewinder.rewind({ ...params, to: body.to, isDryRun: body.dryRun === true })
      } catch (error) {
        if (error instanceof MeshError) throw error
        throw new MeshError('broker_unavailable', `the broker could not be asked: ${String(error)}`, {
          cause: error,
        })
      }
    },
  )
}
