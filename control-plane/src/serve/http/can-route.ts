import { MeshError } from '@weft/schemas/error'
import {
  type Action,
  decide,
  KAFKA_OPERATIONS,
  type PolicyIndex,
  type ProvenToken,
  type Subject,
  subjectOf,
} from '@weft/schemas/policy'
import { DEFAULT_NAMESPACE } from '@weft/schemas/resources'
import { spiffeId } from '@weft/schemas/spiffe'
import type { FastifyInstance } from 'fastify'

interface CanBody {
  readonly subject: (
    | { readonly namespace?: string; readonly serviceAccount: string }
    | { readonly anonymous: true }
  ) & { readonly token?: ProvenToken }
  readonly action: Action
}

const TEXT = { type: 'string', minLength: 1, maxLength: 4096 } as const

/** A token as it would have been verified; nothing is checked here but the policies. */
const TOKEN = {
  type: 'object',
  additionalProperties: false,
  required: ['providers', 'claims'],
  properties: { providers: { type: 'array', items: TEXT, maxItems: 64 }, claims: { type: 'object' } },
} as const

const SUBJECT = {
  type: 'object',
  oneOf: [
    {
      additionalProperties: false,
      required: ['serviceAccount'],
      properties: { namespace: TEXT, serviceAccount: TEXT, token: TOKEN },
    },
    {
      additionalProperties: false,
      required: ['anonymous'],
      properties: { anonymous: { const: true }, token: TOKEN },
    },
  ],
}

const ACTION = {
  type: 'object',
  oneOf: [
    {
      additionalProperties: false,
      required: ['protocol', 'service', 'method', 'path'],
      properties: {
        protocol: { const: 'http' },
        resource: { enum: ['externalService', 'gateway'] },
        service: TEXT,
        namespace: TEXT,
        method: TEXT,
        path: TEXT,
      },
    },
    {
      additionalProperties: false,
      required: ['protocol', 'resource', 'name', 'operation'],
      properties: {
        protocol: { const: 'kafka' },
        resource: { enum: ['topic', 'group', 'transactionalId', 'cluster'] },
        name: TEXT,
        operation: { enum: KAFKA_OPERATIONS },
        group: TEXT,
      },
    },
    {
      additionalProperties: false,
      required: ['protocol', 'service', 'port'],
      properties: {
        protocol: { const: 'tcp' },
        resource: { const: 'externalService' },
        service: TEXT,
        namespace: TEXT,
        port: { type: 'integer', minimum: 1, maximum: 65_535 },
      },
    },
  ],
}

const BODY = {
  type: 'object',
  additionalProperties: false,
  required: ['subject', 'action'],
  properties: { subject: SUBJECT, action: ACTION },
}

/** POST /api/v1/can: the decision that a sidecar would make, by the same function and the policies in force. */
export function registerCanRoute(app: FastifyInstance, policies: () => PolicyIndex): void {
  app.post<{ Body: CanBody }>('/api/v1/can', { schema: { body: BODY } }, (request) => {
    const index = policies()
    const { subject, action } = request.body
    return decide(index, toSubject(subject, index.trustDomain), withNamespace(action))
  })
}

function toSubject(subject: CanBody['subject'], trustDomain: string): Subject {
  const { token } = subject
  if ('anonymous' in subject) return subjectOf(undefined, token)
  try {
    const { namespace = DEFAULT_NAMESPACE, serviceAccount } = subject
    return subjectOf(spiffeId(trustDomain, namespace, serviceAccount), token)
  } catch (error) {
    throw new MeshError(
      'invalid_request',
      `subject: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    )
  }
}

const withNamespace = (action: Action): Action =>
  action.protocol === 'kafka' ? action : { ...action, namespace: action.namespace ?? DEFAULT_NAMESPACE }
