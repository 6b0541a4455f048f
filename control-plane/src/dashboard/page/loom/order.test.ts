import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edge, graphOf, SHOP, service, topic } from './graph.test-support.ts'
import { columnOrder, rowOrder } from './order.ts'

test('columns go breadth first from the ingress, through topics too; what is not reached is last', () => {
  assert.deepEqual(columnOrder(SHOP, SHOP.edges), ['ingress', 'product', 'order', 'billing', 'audit'])
})

test('columns at one distance stand by name, whatever the order of the nodes', () => {
  const graph = graphOf(
    [service('c'), service('b'), service('a')],
    [edge('http', 'a', 'c'), edge('http', 'a', 'b')],
  )
  const turned = graphOf([...graph.nodes].reverse(), [...graph.edges].reverse())
  assert.deepEqual(columnOrder(graph, graph.edges), ['a', 'b', 'c'])
  assert.deepEqual(columnOrder(turned, turned.edges), ['a', 'b', 'c'])
})

test('services that call each other in a circle all have a column', () => {
  const graph = graphOf([service('b'), service('a')], [edge('http', 'a', 'b'), edge('http', 'b', 'a')])
  assert.deepEqual(columnOrder(graph, graph.edges), ['a', 'b'])
})

test('rows go by their first writer, then by name, dead letters under their parent', () => {
  const columns = columnOrder(SHOP, SHOP.edges)
  assert.deepEqual(rowOrder(SHOP, SHOP.edges, columns), [
    'orders',
    'orders.billing.dlt',
    'payments',
    'apples',
    'zebra',
  ])
})

test('topics that are each the other’s dead letters both have a row', () => {
  const graph = graphOf([topic('a', 'b'), topic('b', 'a')], [])
  assert.deepEqual(rowOrder(graph, [], []), ['a', 'b'])
})
