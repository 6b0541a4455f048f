/** The resources of the meshes that are measured: the defaults, written out, and one policy that lets the caller in. */
import { stringify } from 'yaml'

export type AppProtocol = 'http' | 'grpc'

interface Resource {
  readonly kind: string
  readonly name: string
  readonly spec: object
}

/** One YAML text. `caller` may call `app`, nobody else anything. */
export const callResources = (protocol: AppProtocol): string =>
  yamlOf([
    service('caller', 'http'),
    service('app', protocol),
    policy('app', { service: 'app' }, { http: { methods: ['GET', 'POST'], paths: ['/*'] } }),
  ])

/** One YAML text. `caller` may write and read the topic. */
export const topicResources = (topic: string, settings: object = {}): string =>
  yamlOf([
    service('caller', 'http'),
    { kind: 'Topic', name: topic, spec: { partitions: 1, ...settings } },
    policy(topic, { topic }, { kafka: { operations: ['produce', 'consume'] } }),
  ])

const service = (name: string, protocol: AppProtocol): Resource => ({
  kind: 'Service',
  name,
  spec: { selector: { app: name }, ports: [{ port: 80, protocol }] },
})

const policy = (name: string, target: object, to: object): Resource => ({
  kind: 'AccessPolicy',
  name,
  spec: { target, rules: [{ from: [{ serviceAccount: 'caller' }], to: [to] }] },
})

/** What a busy mesh runs with: deny by default, one trace of a hundred recorded. */
const MESH: Resource = {
  kind: 'Mesh',
  name: 'mesh',
  spec: { defaultAction: 'deny', tracing: { samplingRatio: 0.01 } },
}

const yamlOf = (resources: readonly Resource[]): string =>
  [MESH, ...resources]
    .map(({ kind, name, spec }) =>
      stringify({ apiVersion: 'mesh.weft.dev/v1', kind, metadata: { name }, spec }),
    )
    .join('---\n')
