/** GET /api/v1/acls: the brokers' ACLs of the mesh's workloads, beside what the policies ask for. Changes nothing. */
import type { FastifyInstance } from 'fastify'
import type { AclWriter } from './writer.ts'

export function registerAclRoutes(app: FastifyInstance, writer: Pick<AclWriter, 'review'>): void {
  app.get('/api/v1/acls', () => writer.review())
}
