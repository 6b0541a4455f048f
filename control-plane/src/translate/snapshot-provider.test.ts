import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { createLog } from '@weft/schemas/node/log'
import { type Resource, validateResource } from '@weft/schemas/resources'
import { spiffeId } from '@weft/schemas/spiffe'
import { createSnapshotProvider } from './index.ts'

const head = (kind: string, name: string) => ({
  apiVersion: 'mesh.weft.dev/v1',
  kind,
  metadata: { name, labels: { app: 'a' } },
})
const make = (value: unknown): Resource => {
  const result = validateResource(value)
  if ('faults' in result) throw new Error(JSON.stringify(result.faults))
  return result.resource
}
const SERVICE = make({ ...head('Service', 'a'), spec: { selector: { app: 'a' } } })
const WORKLOAD = make({ ...head('Workload', 'a-1'), spec: { serviceAccount: 'a', inboundPort: 1 } })
const POLICY = make({ ...head('AccessPolicy', 'p'), spec: { target: { service: 'a' }, rules: [{}] } })

function given(resources: readonly Resource[]) {
  const log = createLog('test')
  const warn = mock.method(log, 'warn', () => {})
  const state = { version: 1, resources }
  const store = { version: () => state.version, resources: () => state.resources, onChange: () => () => true }
  const change = (next: readonly Resource[]): void => {
    state.version += 1
    state.resources = next
  }
  return {
    provider: createSnapshotProvider({ store, trustDomain: 'weft.local', log }),
    change,
    warnings: () => warn.mock.calls.map((call) => String(call.arguments[1])),
  }
}
const id = (serviceAccount: string) => spiffeId('weft.local', 'default', serviceAccount)

test('a snapshot is made once per version', () => {
  const { provider, change } = given([SERVICE, WORKLOAD])
  const first = provider.snapshotFor(id('a'), 'a-1')
  assert.equal(provider.snapshotFor(id('a'), 'a-1'), first)
  assert.deepEqual([first.version, first.workload.service], [1, 'a'])
  change([])
  assert.equal(provider.snapshotFor(id('a'), 'a-1').version, 2)
})

test('a sidecar whose certificate is not that of its Workload is told of no service, and it is logged once', () => {
  const { provider, change, warnings } = given([SERVICE, WORKLOAD, POLICY])
  const snapshot = provider.snapshotFor(id('thief'), 'a-1')
  assert.equal(snapshot.workload.service, undefined)
  assert.deepEqual(snapshot.policies, [])
  change([SERVICE, WORKLOAD])
  provider.snapshotFor(id('thief'), 'a-1')
  assert.equal(warnings().length, 1)
  assert.match(warnings()[0] ?? '', /no Workload of this name has this identity/)
})

test('a Workload that is defined after its sidecar came is told in the next snapshot', () => {
  const { provider, change, warnings } = given([SERVICE])
  assert.equal(provider.snapshotFor(id('a'), 'a-1').workload.service, undefined)
  change([SERVICE, WORKLOAD])
  assert.equal(provider.snapshotFor(id('a'), 'a-1').workload.service, 'a')
  change([SERVICE])
  provider.snapshotFor(id('a'), 'a-1')
  assert.equal(warnings().length, 2)
})
