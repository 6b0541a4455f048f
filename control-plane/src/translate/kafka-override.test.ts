import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MeshResource, Resource } from '@weft/schemas/resources'
import { overrideKafka } from './kafka-override.ts'
import { meshOf } from './mesh.ts'

const CLUSTER = { bootstrapServers: ['127.0.0.1:20000'], security: 'mtls' } as const
const MESH: MeshResource = {
  apiVersion: 'mesh.weft.dev/v1',
  kind: 'Mesh',
  metadata: { name: 'mesh', namespace: 'default', labels: { by: 'hand' } },
  spec: {
    defaultAction: 'allow',
    mtls: 'strict',
    egress: 'registryOnly',
    tracing: { samplingRatio: 1 },
    kafka: { bootstrapServers: ['kafka:9092'], security: 'tls', acls: 'managed' },
  },
}

test('the cluster of the environment replaces that of the Mesh resource and leaves the rest of it', () => {
  const effective = overrideKafka(() => [MESH], CLUSTER)
  assert.deepEqual(effective(), [{ ...MESH, spec: { ...MESH.spec, kafka: { ...CLUSTER, acls: 'managed' } } }])
})

test('without a Mesh resource the safe defaults hold beside the cluster of the environment', () => {
  const mesh = meshOf(overrideKafka(() => [], CLUSTER)())
  assert.equal(mesh.defaultAction, 'deny')
  assert.deepEqual(mesh.kafka, { ...CLUSTER, acls: 'unmanaged' })
})

test('without a cluster in the environment the resources are the very same', () => {
  const resources: readonly Resource[] = [MESH]
  assert.equal(overrideKafka(() => resources, undefined)(), resources)
})

test('the same resources give the same list again, changed ones another', () => {
  let resources: readonly Resource[] = [MESH]
  const effective = overrideKafka(() => resources, CLUSTER)
  const first = effective()
  assert.equal(effective(), first)
  resources = []
  assert.notEqual(effective(), first)
})
