import assert from 'node:assert/strict'
import { test } from 'node:test'
import { factsOf } from './facts.ts'
import { edge, graphOf, SHOP, service, topic } from './graph.test-support.ts'
import { type Box, layoutOf } from './layout.ts'
import { shownName } from './names.ts'
import { threadOf, threadPath } from './thread.ts'

const overlaps = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

test('no two boxes overlap, and all lie inside of the picture', () => {
  const layout = layoutOf(factsOf(SHOP))
  const boxes: readonly Box[] = [...layout.columns, ...layout.rows]
  for (const [index, box] of boxes.entries()) {
    assert.ok(
      box.x >= 0 && box.y >= 0 && box.x + box.width <= layout.width && box.y + box.height <= layout.height,
    )
    for (const other of boxes.slice(index + 1)) assert.equal(overlaps(box, other), false)
  }
})

test('a knot lies where the thread of its service crosses that of its topic', () => {
  const { knots, columns, rows } = layoutOf(factsOf(SHOP))
  for (const knot of knots) {
    assert.equal(knot.x, columns.find(({ name }) => name === knot.service)?.centre)
    assert.equal(knot.y, rows.find(({ name }) => name === knot.topic)?.centre)
  }
})

test('a service that writes and reads one topic has its two knots side by side, their labels apart', () => {
  const graph = graphOf([service('a'), topic('t')], [edge('produce', 'a', 't'), edge('consume', 'a', 't')])
  const { knots, columns } = layoutOf(factsOf(graph))
  const centre = columns[0]?.centre ?? 0
  assert.deepEqual(
    knots.map(({ kind, x, y, labelY }) => [kind, x - centre, labelY > y]),
    [
      ['produce', -33, false],
      ['consume', 33, true],
    ],
  )
})

test('the thick line of a topic ends behind its last knot, or at its cylinder', () => {
  const { rows, knots } = layoutOf(factsOf(SHOP))
  const of = (name: string) => rows.find((row) => row.name === name)
  assert.equal(
    of('orders')?.threadEnd,
    Math.max(...knots.filter(({ topic: t }) => t === 'orders').map(({ x }) => x)) + 33,
  )
  assert.equal(of('zebra')?.threadEnd, (of('zebra')?.x ?? 0) + (of('zebra')?.width ?? 0))
})

test('numbers move nothing: the same graph with other rates has the same geometry', () => {
  const busier = graphOf(
    SHOP.nodes,
    SHOP.edges.map((each) => ({ ...each, ratePerSecond: 99, total: 1000, meanMs: 5 })),
  )
  const geometry = (graph: typeof SHOP) => {
    const { columns, rows, knots, calls } = layoutOf(factsOf(graph))
    return JSON.stringify([
      [...columns, ...rows].map(({ x, y, width }) => [x, y, width]),
      knots.map(({ x, y }) => [x, y]),
      calls.map(({ path }) => path),
    ])
  }
  assert.equal(geometry(busier), geometry(SHOP))
})

test('a longer arc passes over a shorter one, and one back lies under the one forth', () => {
  const graph = graphOf(
    [service('a'), service('b'), service('c')],
    [edge('http', 'a', 'b'), edge('http', 'a', 'c'), edge('http', 'b', 'a'), edge('http', 'b', 'b')],
  )
  const { calls } = layoutOf(factsOf(graph))
  const y = (key: string): number => calls.find((call) => call.key === key)?.labelY ?? Number.NaN
  assert.ok(y('http a c') < y('http a b'))
  assert.ok(y('http b a') > y('http a b'))
  assert.ok(calls.every(({ labelY, path }) => labelY > 0 && !path.includes('NaN')))
})

test('dead letters under their topic do not say its name again, and a long name is cut', () => {
  assert.equal(shownName({ name: 'orders.billing.dlt', parent: 'orders' }), '…billing.dlt')
  assert.equal(shownName({ name: 'graveyard', parent: 'orders' }), 'graveyard')
  assert.equal(shownName({ name: 'x'.repeat(100) }).length, 34)
})

test('an empty graph has a size', () => {
  const { width, height } = layoutOf(factsOf(graphOf([], [])))
  assert.ok(width > 0 && height > 0)
})

test('a hundred services and a hundred topics with long names are laid out', () => {
  const long = (name: string, index: number): string => `${name}-${index}-${'x'.repeat(60)}`
  const nodes = Array.from({ length: 100 }, (_, index) => [
    service(long('s', index)),
    topic(long('t', index)),
  ]).flat()
  const edges = Array.from({ length: 100 }, (_, index) =>
    edge('produce', long('s', index), long('t', 99 - index)),
  )
  const layout = layoutOf(factsOf(graphOf(nodes, edges)))
  assert.equal(layout.knots.length, 100)
  assert.ok(layout.columns.every(({ width }) => width < 300))
})

const spans = (...list: readonly object[]) => ({ spans: list }) as unknown as Parameters<typeof threadOf>[0]

test('a trace lights the calls and knots that it went through', () => {
  const trace = spans(
    { spanId: '1', kind: 'server', service: 'product' },
    { spanId: '2', parentSpanId: '1', kind: 'client', service: 'product' },
    { spanId: '3', parentSpanId: '2', kind: 'server', service: 'order' },
    { spanId: '4', parentSpanId: '3', kind: 'producer', service: 'order', topic: 'orders' },
    { spanId: '5', parentSpanId: '4', kind: 'consumer', service: 'billing', topic: 'orders' },
  )
  const keys = threadOf(trace)
  assert.deepEqual(
    [...keys],
    ['http ingress product', 'http product order', 'produce order orders', 'consume billing orders'],
  )
  const path = threadPath(layoutOf(factsOf(SHOP)), keys)
  assert.equal(path.match(/M/g)?.length, 3)
})

test('the caller of a server span is the peer that was proved, before its parent', () => {
  const peer = 'spiffe://weft.local/ns/default/sa/shop'
  const trace = spans({ spanId: '3', parentSpanId: '2', kind: 'server', service: 'order', peer })
  assert.deepEqual([...threadOf(trace)], ['http shop order'])
})
