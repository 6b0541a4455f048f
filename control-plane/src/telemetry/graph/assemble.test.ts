import assert from 'node:assert/strict'
import { test } from 'node:test'
import { API_VERSION, type Resource } from '@weft/schemas/resources'
import { DEFAULT_PRODUCER } from '@weft/schemas/snapshot'
import { NO_LAG } from '../lag.ts'
import { assembleGraph, type GraphInput, type SidecarView } from './assemble.ts'
import type { EdgeName } from './counters.ts'
import { readMesh } from './resources.ts'

const named = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: API_VERSION as typeof API_VERSION,
  metadata: { name, namespace: 'default', labels },
})
const service = (name: string): Resource => ({
  ...named(name),
  kind: 'Service',
  spec: { selector: { app: name }, ports: [{ port: 80, protocol: 'http' }] },
})
const workload = (name: string, app: string): Resource => ({
  ...named(name, { app }),
  kind: 'Workload',
  spec: { serviceAccount: `${app}-sa`, address: '127.0.0.1', inboundPort: 1 },
})
const topic = (name: string, partitions: number): Resource => ({
  ...named(name),
  kind: 'Topic',
  spec: {
    name,
    partitions,
    replicationFactor: 1,
    config: {},
    maxMessageBytes: 1,
    producer: DEFAULT_PRODUCER,
    durability: 'broker',
    trace: 'uncompressed',
  },
})
const subscription: Resource = {
  ...named('billing-orders'),
  kind: 'Subscription',
  spec: {
    ...{ topic: 'orders', service: 'billing', group: 'billing', path: '/', startAt: 'earliest' },
    ...{ maxInFlight: 1, timeoutMs: 1, retry: { attempts: 1, backoffBaseMs: 1, backoffMaxMs: 1 } },
    deadLetterTopic: 'orders.billing.dlt',
  },
}
const policy = (source: string, operation: 'produce' | 'consume'): Resource => ({
  ...named(`orders-${operation}`),
  kind: 'AccessPolicy',
  spec: {
    ...{ target: { topic: 'orders' }, action: 'allow', mode: 'enforce' },
    rules: [{ from: [{ serviceAccount: source }], to: [{ kafka: { operations: [operation] } }] }],
  },
})

const RATES = {
  ...{ ratePerSecond: 1, failedPerSecond: 0, refusedPerSecond: 0, total: 1, refusedTotal: 0 },
  lastMinute: { total: 1, failed: 0, refused: 0 },
}
const graphOf = (
  resources: readonly Resource[],
  names: readonly EdgeName[] = [],
  more: Partial<GraphInput> = {},
) =>
  assembleGraph({
    mesh: readMesh(resources),
    sidecars: [],
    rates: names.map((name) => ({ name, rates: RATES })),
    lag: NO_LAG,
    nowMs: 0,
    ...more,
  })

test('a service shows how many of its workloads have a sidecar that is connected', () => {
  const sidecar: SidecarView = {
    ...{ workload: 'billing-1', namespace: 'default', identity: '' },
    connectedSince: 1,
  }
  const { nodes } = graphOf(
    [service('billing'), workload('billing-1', 'billing'), workload('billing-2', 'billing')],
    [],
    { sidecars: [sidecar, { ...sidecar, workload: 'billing-2', connectedSince: undefined }] },
  )
  assert.deepEqual(nodes, [
    {
      id: 'service:billing',
      kind: 'service',
      name: 'billing',
      instances: { connected: 1, total: 2 },
      mtls: true,
    },
  ])
})

test('what is only seen in traffic is a node too, and ingress comes first', () => {
  const { nodes } = graphOf(
    [],
    [
      { kind: 'http', source: 'ingress', destination: 'shop' },
      { kind: 'produce', source: 'shop', destination: 'clicks' },
    ],
  )
  assert.deepEqual(
    nodes.map((node) => node.id),
    ['ingress', 'service:shop', 'topic:clicks'],
  )
})

test('a dead-letter topic knows its parent, from its subscription or from its name', () => {
  const { nodes } = graphOf(
    [topic('orders', 12), topic('a.b', 1), subscription],
    [{ kind: 'produce', source: 'x', destination: 'a.b.my.group.dlt' }],
  )
  const dead = nodes.flatMap((node) => (node.kind === 'topic' && node.deadLetterOf ? [node] : []))
  assert.deepEqual(
    dead.map(({ name, deadLetterOf }) => [name, deadLetterOf]),
    [
      ['a.b.my.group.dlt', { topic: 'a.b', group: 'my.group' }],
      ['orders.billing.dlt', { topic: 'orders', group: 'billing' }],
    ],
  )
})

test('a subscription and a policy are lines before anything flows, by the name of the service', () => {
  const { edges } = graphOf([
    service('shop'),
    workload('shop-1', 'shop'),
    topic('orders', 1),
    subscription,
    policy('shop-sa', 'produce'),
  ])
  assert.deepEqual(
    edges.map(({ kind, source, destination, configured, total }) => [
      kind,
      source,
      destination,
      configured,
      total,
    ]),
    [
      ['consume', 'billing', 'orders', true, 0],
      ['produce', 'billing', 'orders.billing.dlt', true, 0],
      ['produce', 'shop', 'orders', true, 0],
    ],
  )
})

test('a permitted line that flows is drawn once, whatever its group', () => {
  const { edges } = graphOf(
    [subscription, policy('billing', 'consume')],
    [{ kind: 'consume', source: 'billing', destination: 'orders', group: 'billing' }],
  )
  assert.deepEqual(
    edges.map(({ kind, group, configured }) => [kind, group, configured]),
    [
      ['consume', 'billing', undefined],
      ['produce', undefined, true],
    ],
  )
})

test('a deny policy, a pattern, and a rule for everybody draw no line', () => {
  const open = policy('x', 'consume')
  const changed = (spec: object): Resource => ({ ...open, spec: { ...open.spec, ...spec } }) as Resource
  const { edges } = graphOf([
    changed({ action: 'deny' }),
    changed({ target: { topic: 'orders*' } }),
    changed({ rules: [{ to: [{ kafka: { operations: ['consume'] } }] }] }),
  ])
  assert.deepEqual(edges, [])
})

test('lag stands at the group that it belongs to', () => {
  const { edges } = graphOf(
    [],
    [
      { kind: 'consume', source: 'a', destination: 'orders', group: 'a' },
      { kind: 'consume', source: 'b', destination: 'orders', group: 'b' },
    ],
    { lag: { ...NO_LAG, behind: new Map([['b orders', 7]]) } },
  )
  assert.deepEqual(
    edges.map(({ group, lag }) => [group, lag]),
    [
      ['a', undefined],
      ['b', 7],
    ],
  )
})

test('a consume without a group has the lag of the groups that bear its name, the longest name first', () => {
  const behind = new Map([
    ['order orders', 1],
    ['order-audit orders', 2],
    ['order-service-1 orders', 4],
    ['order orders.dlt', 8],
  ])
  const { edges } = graphOf(
    [service('order'), service('order-service')],
    [
      { kind: 'consume', source: 'order', destination: 'orders' },
      { kind: 'consume', source: 'order-service', destination: 'orders' },
      { kind: 'consume', source: 'billing', destination: 'orders' },
    ],
    { lag: { ...NO_LAG, behind } },
  )
  assert.deepEqual(
    edges.map(({ source, lag }) => [source, lag]),
    [
      ['billing', undefined],
      ['order', 3],
      ['order-service', 4],
    ],
  )
})

test('a group that a subscription names is not counted again for the consume without a group', () => {
  const lag = { ...NO_LAG, behind: new Map([['billing orders', 5]]) }
  const { edges } = graphOf(
    [service('billing'), subscription],
    [{ kind: 'consume', source: 'billing', destination: 'orders' }],
    { lag },
  )
  assert.deepEqual(
    edges.filter(({ kind }) => kind === 'consume').map(({ group, lag: records }) => [group, records]),
    [
      ['billing', 5],
      [undefined, undefined],
    ],
  )
})

test('a topic says how many records are in it, where the broker has been asked', () => {
  const lag = { ...NO_LAG, records: new Map([['orders', 4]]) }
  const [node] = graphOf([topic('orders', 1)], [], { lag }).nodes
  assert.equal(node?.kind === 'topic' && node.records, 4)
})
