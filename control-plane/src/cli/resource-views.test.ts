import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseKind, parseSelector, resourcePath } from './resource-views.ts'

test('a kind may be singular or plural, in any case; another word is wrong usage', () => {
  for (const word of ['topic', 'Topics', 'TOPIC']) assert.equal(parseKind(word), 'Topic')
  assert.equal(parseKind('accesspolicies'), 'AccessPolicy')
  assert.throws(() => parseKind('pod'), /no kind "pod": choose one of service, workload/)
})

test('a selector holds when all of its terms do', () => {
  const matches = parseSelector('app=shop,tier!=web,canary')
  assert.equal(matches({ app: 'shop', tier: 'db', canary: '' }), true)
  assert.equal(matches({ app: 'shop', canary: '' }), true)
  assert.equal(matches({ app: 'shop', tier: 'web', canary: '' }), false)
  assert.equal(matches({ app: 'shop' }), false)
  assert.equal(parseSelector('constructor')({}), false)
})

test('what is no selector is wrong usage', () => {
  for (const text of ['', 'a=b,', '=b', 'a=b=c', 'a>1'])
    assert.throws(() => parseSelector(text), /-l: expected key=value/)
})

test('a name cannot lead the address elsewhere', () => {
  assert.equal(
    resourcePath('Topic', 'default', '../mesh/mesh'),
    '/api/v1/namespaces/default/topic/..%2Fmesh%2Fmesh',
  )
})
