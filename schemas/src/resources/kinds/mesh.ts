import {
  DEFAULT_EGRESS,
  DEFAULT_KAFKA_ACLS,
  DEFAULT_KAFKA_SECURITY,
  DEFAULT_MESH_ACTION,
  DEFAULT_MTLS,
  DEFAULT_NAMESPACE,
  DEFAULT_SAMPLING_RATIO,
} from '../defaults.ts'
import type { KindDefinition } from './definition.ts'
import { list, map, oneOf, resource, text } from './shapes.ts'

const spec = map({
  defaultAction: {
    ...oneOf(['allow', 'deny'], 'What holds where no policy speaks.'),
    default: DEFAULT_MESH_ACTION,
  },
  mtls: {
    ...oneOf(
      ['strict', 'permissive'],
      'permissive: inbound listeners take plain text too; its callers are anonymous for every policy.',
    ),
    default: DEFAULT_MTLS,
  },
  egress: {
    ...oneOf(
      ['registryOnly', 'allowAll'],
      'Where apps may call to beside services: only to an ExternalService, or anywhere but to this host and its link.',
    ),
    default: DEFAULT_EGRESS,
  },
  tracing: map({
    samplingRatio: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'Share of new traces that are recorded; a caller’s own decision is always followed.',
      default: DEFAULT_SAMPLING_RATIO,
    },
  }),
  kafka: map(
    {
      bootstrapServers: list(text('host-port', 'host:port'), 'Any brokers of the cluster.', 64),
      security: {
        ...oneOf(['mtls', 'tls', 'plaintext'], "mtls: with the workload's own certificate."),
        default: DEFAULT_KAFKA_SECURITY,
      },
      acls: {
        ...oneOf(
          ['unmanaged', 'managed'],
          'managed: the AccessPolicies are written as ACLs of the brokers, so that going round the sidecar does not help.',
        ),
        default: DEFAULT_KAFKA_ACLS,
      },
    },
    ['bootstrapServers'],
  ),
  schemaRegistry: map(
    {
      url: text(
        'http-url',
        'A schema registry with the API of Confluent’s, in place of that of the control plane.',
      ),
    },
    ['url'],
  ),
})

/** There is one, so name and namespace are fixed: two would contradict each other. */
const name = { type: 'string', const: 'mesh' }
const namespace = { type: 'string', const: DEFAULT_NAMESPACE }

export const mesh: KindDefinition<'Mesh'> = {
  kind: 'Mesh',
  plural: 'meshes',
  schema: resource({ kind: 'Mesh', spec, name, namespace }),
  check: () => [],
  complete: ({ spec: { defaultAction, mtls, egress, tracing, kafka, schemaRegistry } }) => ({
    defaultAction: defaultAction ?? DEFAULT_MESH_ACTION,
    mtls: mtls ?? DEFAULT_MTLS,
    egress: egress ?? DEFAULT_EGRESS,
    tracing: { samplingRatio: tracing?.samplingRatio ?? DEFAULT_SAMPLING_RATIO },
    ...(kafka !== undefined && {
      kafka: {
        bootstrapServers: kafka.bootstrapServers,
        security: kafka.security ?? DEFAULT_KAFKA_SECURITY,
        acls: kafka.acls ?? DEFAULT_KAFKA_ACLS,
      },
    }),
    ...(schemaRegistry !== undefined && { schemaRegistry }),
  }),
}
