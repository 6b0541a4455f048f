import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readResources } from '@weft/schemas/resources'
import { checkReferences } from './references.ts'

const SERVICE = `apiVersion: mesh.weft.dev/v1
kind: Service
metadata: { name: reviews }
spec: { selector: { app: reviews } }
`
const route = (spec: string, kind = 'HTTPRoute') =>
  `---\napiVersion: gateway.networking.k8s.io/v1\nkind: ${kind}\nmetadata: { name: r }\nspec: ${spec}\n`

function findings(...routes: readonly string[]): readonly string[] {
  const { resources, faults } = readResources([SERVICE, ...routes].join(''), 'f')
  assert.deepEqual(faults, [])
  return checkReferences(resources.map(({ resource }) => resource)).map(
    ({ severity, at, came }) => `${severity} ${at.join('.')} ${came}`,
  )
}

const PARENT = '{ group: "", kind: Service, name: reviews }'

test('a route whose names are all there is without a finding', () => {
  const rule = `{ backendRefs: [{ name: reviews, port: 80 }] }`
  assert.deepEqual(findings(route(`{ parentRefs: [${PARENT}], rules: [${rule}] }`)), [])
})

test('a parent, a port, a backend and a mirror that are not there are warnings at their places', () => {
  const mirror = '{ type: RequestMirror, requestMirror: { backendRef: { name: nobody, port: 80 } } }'
  const parents = [
    '{ group: "", kind: Service, name: nobody }',
    '{ group: "", kind: Service, name: reviews, port: 81 }',
    '{ group: "", kind: Service, name: reviews, sectionName: admin }',
  ]
  const backends = '[{ name: nobody, port: 80 }, { name: reviews, port: 81 }]'
  assert.deepEqual(
    findings(
      route(
        `{ parentRefs: [${parents.join(', ')}], rules: [{ filters: [${mirror}], backendRefs: ${backends} }] }`,
      ),
    ),
    [
      'warning spec.parentRefs.0.name "default/nobody"',
      'warning spec.parentRefs.1.port 81',
      'warning spec.parentRefs.2.sectionName "admin"',
      'warning spec.rules.0.backendRefs.0.name "default/nobody"',
      'warning spec.rules.0.backendRefs.1.port 81',
      'warning spec.rules.0.filters.0.requestMirror.backendRef.name "default/nobody"',
    ],
  )
})

test('an HTTPRoute where a GRPCRoute is says that it has no effect', () => {
  const spec = `{ parentRefs: [${PARENT}] }`
  assert.deepEqual(findings(route(spec), route(spec, 'GRPCRoute')), [
    'warning spec.parentRefs default/reviews port any for callers of default, which GRPCRoute default/r has',
  ])
})
