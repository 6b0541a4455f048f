import type { Graph, GraphEdge, GraphNode } from '../../../telemetry/types.ts'

export const edge = (
  kind: GraphEdge['kind'],
  source: string,
  destination: string,
  more: Partial<GraphEdge> = {},
): GraphEdge => ({
  ...{ kind, source, destination, ratePerSecond: 2, failedPerSecond: 0, refusedPerSecond: 0 },
  ...{ lastMinute: { total: 20, failed: 0, refused: 0 }, total: 20, refusedTotal: 0 },
  ...more,
})

export const service = (name: string, connected = 1, total = 1): GraphNode => ({
  ...{ id: `service:${name}`, kind: 'service', name, instances: { connected, total }, mtls: true },
})

export const topic = (name: string, parent?: string): GraphNode => ({
  ...{ id: `topic:${name}`, kind: 'topic', name, partitions: 3 },
  ...(parent !== undefined && { deadLetterOf: { topic: parent, group: 'g' } }),
})

const INGRESS: GraphNode = { id: 'ingress', kind: 'ingress', name: 'ingress' }

export const graphOf = (nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Graph => ({
  generatedAtUnixMs: 0,
  nodes,
  edges,
})

/** The shop: ingress → product → order → orders → billing → payments → order. */
export const SHOP = graphOf(
  [
    ...[INGRESS, service('billing'), service('order'), service('product'), service('audit')],
    ...[
      topic('orders'),
      topic('payments'),
      topic('orders.billing.dlt', 'orders'),
      topic('zebra'),
      topic('apples'),
    ],
  ],
  [
    edge('http', 'ingress', 'product'),
    edge('http', 'product', 'order'),
    edge('produce', 'order', 'orders'),
    edge('consume', 'billing', 'orders', { group: 'billing' }),
    edge('produce', 'billing', 'orders.billing.dlt'),
    edge('produce', 'billing', 'payments'),
    edge('consume', 'order', 'payments', { group: 'order' }),
  ],
)
