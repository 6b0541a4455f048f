import { DEFAULT_WORKLOAD_ADDRESS } from '../defaults.ts'
import type { KindDefinition } from './definition.ts'
import { map, port, resource, text, wholeNumber } from './shapes.ts'

const spec = map(
  {
    serviceAccount: text(
      'dns-name',
      'The identity that the sidecar proves: spiffe://…/ns/<namespace>/sa/<this>.',
    ),
    address: { ...text('host', 'Where other sidecars reach this one.'), default: DEFAULT_WORKLOAD_ADDRESS },
    inboundPort: port('The mTLS listener of the sidecar.'),
    appPort: port('The app on loopback; for people and tools.'),
    adminPort: port('The admin listener of the sidecar; for people and tools.'),
    weight: wholeNumber(1, 100, 'Share of the load beside other workloads of its service; 1 where absent.'),
  },
  ['serviceAccount', 'inboundPort'],
)

export const workload: KindDefinition<'Workload'> = {
  kind: 'Workload',
  plural: 'workloads',
  schema: resource({ kind: 'Workload', spec }),
  check: () => [],
  complete: ({ spec: { serviceAccount, address, inboundPort, appPort, adminPort, weight } }) => ({
    serviceAccount,
    address: address ?? DEFAULT_WORKLOAD_ADDRESS,
    inboundPort,
    ...(appPort !== undefined && { appPort }),
    ...(adminPort !== undefined && { adminPort }),
    ...(weight !== undefined && { weight }),
  }),
}
