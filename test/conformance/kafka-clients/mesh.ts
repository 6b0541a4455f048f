/** A whole mesh, as a person has it: broker with mTLS, control plane, and a sidecar whose Kafka port the clients are pointed at. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createProject } from '../../integration/cli/weft.test-support.ts'

/** Does nothing: the clients are the app. */
const APP = `import { createServer } from 'node:http'
createServer((request, response) => response.end()).listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`

const EVERYTHING =
  '[produce, consume, describe, create, delete, alter, describeConfigs, alterConfigs, idempotentWrite]'
const allow = (name: string, target: string, to: string) => `---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: ${name} }
spec:
  target: ${target}
  rules: [{ from: [{ serviceAccount: front }], to: [{ kafka: ${to} }] }]
`

const RESOURCES = `apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: orders }
spec: { partitions: 3, schema: { type: avro, validation: full, subject: orders-value } }
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: c-kcat }
spec: { partitions: 3 }
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: secret }
spec: { partitions: 1 }
---
apiVersion: mesh.weft.dev/v1
kind: Topic
metadata: { name: c-events }
spec: { partitions: 1 }
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: events }
spec: { topic: c-events, service: front, group: c-events }
---
apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: orders }
spec: { topic: orders, service: front, group: orders }
${allow('topics', "{ topic: 'c-*' }", `{ operations: ${EVERYTHING}, groups: ['*'] }`)}
${allow('orders', '{ topic: orders }', `{ operations: ${EVERYTHING}, groups: ['*'] }`)}
${allow('groups', "{ group: 'c-*' }", `{ operations: ${EVERYTHING} }`)}
${allow('transactions', "{ transactionalId: 'c-*' }", `{ operations: ${EVERYTHING} }`)}
${allow('cluster', '{ cluster: true }', '{ operations: [describe, create, describeConfigs, idempotentWrite] }')}
`

export interface ClientMesh {
  /** Of the sidecar. */
  readonly bootstrap: string
  readonly controlPlaneUrl: string
  readonly eventsUrl: string
  readonly adminToken: string
}

export async function startClientMesh(t: TestContext): Promise<ClientMesh> {
  const service = { command: ['node', 'idle.mjs'] }
  const project = await createProject(t, { kafka: {}, back: service, front: service })
  await project.write('idle.mjs', APP)
  await project.write('mesh/clients.yaml', RESOURCES)
  const { mesh } = await project.up()
  const ports = mesh.services.find(({ name }) => name === 'front')?.ports
  return {
    bootstrap: `127.0.0.1:${ports?.kafka}`,
    controlPlaneUrl: mesh.controlPlaneUrl,
    eventsUrl: `http://127.0.0.1:${ports?.events}`,
    adminToken: (await readFile(join(project.folder, '.weft/tiny/control-plane/admin-token'), 'utf8')).trim(),
  }
}
