import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileFilter, filterFault, MAX_FILTER_LENGTH } from './event-filter.ts'

const created = {
  event: new Map([
    ['type', 'shop.OrderCreated'],
    ['source', '/orders'],
    ['priority', '3'],
  ]),
  headers: new Map([['tenant', 'blue']]),
  key: 'order-1',
}
const matches = (expression: string): boolean => compileFilter(expression)(created)

test('attributes, headers and the key are text to compare', () => {
  for (const expression of [
    'event.type == "shop.OrderCreated"',
    'event.type.startsWith("shop.") && headers.tenant in ["blue", "green"]',
    'headers["tenant"] != "red"',
    'has(event.priority) && int(event.priority) > 2',
    '!has(event.subject)',
    'key.endsWith("-1")',
    'true',
  ])
    assert.equal(matches(expression), true, expression)
  for (const expression of [
    'event.type == "shop.OrderPaid"',
    'headers.tenant == "BLUE"',
    'key == ""',
    'false',
  ])
    assert.equal(matches(expression), false, expression)
})

test('what is not there, or is no number, is no match', () => {
  for (const expression of [
    'event.subject == "x"',
    'headers.nothing != "x"',
    'int(headers.tenant) > 1',
    '1 / int("0") == 1',
  ])
    assert.equal(matches(expression), false, expression)
})

test('what cannot be used says why, in one line', () => {
  for (const [expression, reason] of [
    ['', /./],
    ['event.type ==', /./],
    ['event.type', /expected true or false, not string/],
    ['data.amount > 1', /[Uu]nknown variable.*data/],
    ['event.type == 1', /no such overload/],
    ['key.matches("(a+)+$")', /expected no matches\(\)/],
    [`key == "${'x'.repeat(MAX_FILTER_LENGTH)}"`, /at most 2048 characters/],
    [`${'('.repeat(400)}true${')'.repeat(400)}`, /./],
  ] as const) {
    const fault = filterFault(expression)
    assert.match(fault ?? 'no fault', reason, expression.slice(0, 60))
    assert.doesNotMatch(fault ?? 'no fault', /\n|no fault/, expression.slice(0, 60))
  }
})
