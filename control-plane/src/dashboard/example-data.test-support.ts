/** The shop of the reference picture: seven services, five topics, one of everything that can be wrong. */
import { API_VERSION, type Resource } from '@weft/schemas/resources'
import { DEFAULT_PRODUCER } from '@weft/schemas/snapshot'
import type { SidecarView } from '../telemetry/graph/assemble.ts'
import type { LagReading } from '../telemetry/lag.ts'

const INSTANCES: Readonly<Record<string, number>> = {
  'product-service': 3,
  'order-service': 2,
  'billing-service': 2,
  'payment-provider': 1,
  'shipping-service': 1,
  'notification-service': 1,
}
const TOPICS: Readonly<Record<string, number>> = { orders: 12, payments: 6, shipments: 3, returns: 3 }

const named = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: API_VERSION as typeof API_VERSION,
  metadata: { name, namespace: 'default', labels },
})

export function meshResources(): readonly Resource[] {
  return [
    ...Object.entries(INSTANCES).flatMap(([service, count]): Resource[] => [
      {
        ...named(service),
        kind: 'Service',
        spec: { selector: { app: service }, ports: [{ port: 80, protocol: 'http' }] },
      },
      ...Array.from(
        { length: count },
        (_, index): Resource => ({
          ...named(`${service}-${index + 1}`, { app: service }),
          kind: 'Workload',
          spec: { serviceAccount: service, address: '127.0.0.1', inboundPort: 15_006 + index },
        }),
      ),
    ]),
    ...Object.entries(TOPICS).map(
      ([name, partitions]): Resource => ({
        ...named(name),
        kind: 'Topic',
        spec: {
          name,
          partitions,
          replicationFactor: 1,
          config: {},
          maxMessageBytes: 1_048_576,
          producer: DEFAULT_PRODUCER,
          durability: 'broker',
          trace: 'uncompressed',
        },
      }),
    ),
    {
      ...named('billing-orders'),
      kind: 'Subscription',
      spec: {
        topic: 'orders',
        service: 'billing-service',
        path: '/events/orders',
        group: 'billing-service',
        startAt: 'earliest',
        maxInFlight: 16,
        timeoutMs: 10_000,
        retry: { attempts: 5, backoffBaseMs: 100, backoffMaxMs: 10_000 },
        deadLetterTopic: 'orders.billing-service.dlt',
      },
    },
    {
      ...named('returns'),
      kind: 'AccessPolicy',
      spec: {
        target: { topic: 'returns' },
        action: 'allow',
        mode: 'enforce',
        rules: [
          { from: [{ serviceAccount: 'shipping-service' }], to: [{ kafka: { operations: ['produce'] } }] },
          { from: [{ serviceAccount: 'billing-service' }], to: [{ kafka: { operations: ['consume'] } }] },
        ],
      },
    },
  ]
}

/** All but the payment provider's. */
export function meshSidecars(): readonly SidecarView[] {
  return Object.entries(INSTANCES)
    .filter(([service]) => service !== 'payment-provider')
    .flatMap(([service, count]) =>
      Array.from({ length: count }, (_, index) => ({
        workload: `${service}-${index + 1}`,
        namespace: 'default',
        identity: `spiffe://weft.local/ns/default/sa/${service}`,
        connectedSince: '2026-11-21T06:00:00.000Z',
        sentVersion: 12,
        ackedVersion: 12,
      })),
    )
}

export const LAG: LagReading = {
  behind: new Map([
    ['product-service orders', 0],
    ['billing-service orders', 1204],
    ['order-service payments', 0],
    ['shipping-service payments', 2],
    ['notification-service payments', 0],
    ['notification-service shipments', 0],
  ]),
  records: new Map([['orders.billing-service.dlt', 4]]),
}

interface Edge {
  readonly kind: 'http' | 'produce' | 'consume'
  readonly source: string
  readonly destination: string
  readonly group: string
  readonly total: number
  readonly failed: number
  readonly refused: number
  readonly durationSeconds: number
}

const call = (source: string, destination: string, total: number, meanMs: number, failed = 0): Edge => ({
  ...{ kind: 'http', source, destination, group: '', total, failed, refused: 0 },
  durationSeconds: (total * meanMs) / 1000,
})
const produce = (source: string, destination: string, total: number): Edge => ({
  ...{ kind: 'produce', source, destination, group: '', total, failed: 0, refused: 0 },
  durationSeconds: total * 0.004,
})
/** Without a group, as the wire proxy reports it. */
const consume = (source: string, destination: string, total: number, refused = 0): Edge => ({
  ...{ kind: 'consume', source, destination, group: '', total, failed: 0, refused },
  durationSeconds: total * 0.002,
})

/** Ten times what the sidecars of each service count in a second. */
export const TRAFFIC: Readonly<Record<string, readonly Edge[]>> = {
  'product-service': [call('ingress', 'product-service', 41, 9), consume('product-service', 'orders', 12)],
  'order-service': [
    call('product-service', 'order-service', 12, 31),
    produce('order-service', 'orders', 12),
    consume('order-service', 'payments', 9),
  ],
  'billing-service': [
    call('billing-service', 'payment-provider', 9, 120, 2),
    consume('billing-service', 'orders', 9),
    produce('billing-service', 'payments', 9),
  ],
  'shipping-service': [
    consume('shipping-service', 'payments', 9),
    produce('shipping-service', 'shipments', 9),
  ],
  'notification-service': [
    consume('notification-service', 'orders', 0.3, 0.3),
    consume('notification-service', 'payments', 9),
    consume('notification-service', 'shipments', 9),
  ],
}

/** What the notification service reports after its policy has changed. */
export const PERMITTED: typeof TRAFFIC = {
  'notification-service': [consume('notification-service', 'orders', 1, 0.075)],
}
