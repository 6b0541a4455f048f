import { DEFAULT_KAFKA_ACLS, type Resource } from '@weft/schemas/resources'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { meshOf } from './mesh.ts'

/**
 * The resources with this cluster in place of what a Mesh resource says of Kafka: `weft up` starts a broker of its own,
 * and must not write its port into a file that is checked in. Without a cluster, the resources as they are.
 */
export function overrideKafka(
  resources: () => readonly Resource[],
  cluster: KafkaCluster | undefined,
): () => readonly Resource[] {
  if (cluster === undefined) return resources
  let from: readonly Resource[] | undefined
  let to: readonly Resource[] = []
  return () => {
    const current = resources()
    // Who compares by reference sees a change only where there is one.
    if (from === current) return to
    from = current
    const { apiVersion, kind, metadata } = current.find((resource) => resource.kind === 'Mesh') ?? NO_MESH
    const mesh = meshOf(current)
    const spec = { ...mesh, kafka: { ...cluster, acls: mesh.kafka?.acls ?? DEFAULT_KAFKA_ACLS } }
    to = [...current.filter((resource) => resource.kind !== 'Mesh'), { apiVersion, kind, metadata, spec }]
    return to
  }
}

const NO_MESH = {
  apiVersion: 'mesh.weft.dev/v1',
  kind: 'Mesh',
  metadata: { name: 'mesh', namespace: 'default', labels: {} },
} as const
