import type { FastifyInstance } from 'fastify'
import {
  type BrokerCertificateRequest,
  type CertificateAuthority,
  issueBrokerCertificate,
  type JoinTokenRequest,
  type JoinTokens,
} from '../ca/index.ts'
import type { SidecarRegistry } from '../grpc/index.ts'

export interface IdentityRoutesOptions {
  readonly authority: CertificateAuthority
  readonly tokens: JoinTokens
  readonly registry: Pick<SidecarRegistry, 'list'>
}

const NAME = { type: 'string', maxLength: 253 } as const

const JOIN_TOKEN = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace', 'serviceAccount'],
  properties: { namespace: NAME, serviceAccount: NAME, ttlSeconds: { type: 'integer' } },
} as const

const CERTIFICATE = {
  type: 'object',
  additionalProperties: false,
  required: ['namespace', 'serviceAccount', 'dnsNames', 'ttlSeconds'],
  properties: {
    namespace: NAME,
    serviceAccount: NAME,
    dnsNames: { type: 'array', items: NAME, maxItems: 100 },
    ttlSeconds: { type: 'integer' },
  },
} as const

/** Who is connected; and, with the admin token, join tokens for sidecars and certificates for brokers. */
export function registerIdentityRoutes(app: FastifyInstance, options: IdentityRoutesOptions): void {
  const { authority, tokens, registry } = options
  app.get('/api/v1/sidecars', () => registry.list())

  app.post<{ Body: JoinTokenRequest }>(
    '/api/v1/join-tokens',
    { schema: { body: JOIN_TOKEN } },
    async (request, reply) => {
      const { token, expiresAt } = await tokens.create(request.body)
      return await reply.code(201).send({ token, expiresAt: expiresAt.toISOString() })
    },
  )

  app.post<{ Body: BrokerCertificateRequest }>(
    '/api/v1/certificates',
    { schema: { body: CERTIFICATE } },
    async (request, reply) => {
      const { certificatePem, privateKeyPem, trustBundlePem, expiresAt } = await issueBrokerCertificate(
        authority,
        request.body,
      )
      return await reply
        .code(201)
        .send({ certificatePem, privateKeyPem, trustBundlePem, expiresAt: expiresAt.toISOString() })
    },
  )
}
