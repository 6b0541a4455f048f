import assert from 'node:assert/strict'
import { test } from 'node:test'
import { commonHost } from './gateway.ts'

test('where the hosts of a route and of a listener meet, the more specific one holds', () => {
  const meetings: readonly (readonly [
    ofRoute: string,
    ofListener: string | undefined,
    common: string | undefined,
  ])[] = [
    ['shop.example', undefined, 'shop.example'],
    ['shop.example', 'shop.example', 'shop.example'],
    ['shop.example', '*.example', 'shop.example'],
    ['*.example', 'shop.example', 'shop.example'],
    ['*.example', '*.example', '*.example'],
    ['*.shop.example', '*.example', '*.shop.example'],
    ['*.example', '*.shop.example', '*.shop.example'],
    ['a.b.example', '*.example', 'a.b.example'],
    ['example', '*.example', undefined],
    ['*.example', 'example', undefined],
    ['shop.test', '*.example', undefined],
    ['notexample', '*.example', undefined],
    ['*.test', '*.example', undefined],
  ]
  for (const [ofRoute, ofListener, common] of meetings)
    assert.equal(commonHost(ofRoute, ofListener), common, `${ofRoute} and ${ofListener}`)
})
