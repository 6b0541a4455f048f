import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { readResources } from '@weft/schemas/resources'
import { spiffeId } from '@weft/schemas/spiffe'
import { translate } from './index.ts'

const FOLDER = join(import.meta.dirname, 'testdata')
const RECEIVER = /^# receiver: (\S+)\/(\S+) (\S+)$/m

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')))
  test(`${basename(file, '.yaml')} translates to its golden snapshot`, () => {
    const path = join(FOLDER, file)
    const text = readFileSync(path, 'utf8')
    const { resources, faults } = readResources(text, path)
    assert.deepEqual(faults, [])
    const [, namespace = '', serviceAccount = '', workload = ''] = RECEIVER.exec(text) ?? []
    const receiver = { identity: spiffeId('weft.local', namespace, serviceAccount), workload }

    const snapshot = translate(
      resources.map(({ resource }) => resource),
      'weft.local',
      receiver,
    )

    const golden = path.replace(/yaml$/, 'json')
    if (process.env.WEFT_WRITE_GOLDEN === '1') writeFileSync(golden, `${JSON.stringify(snapshot, null, 2)}\n`)
    assert.deepEqual(snapshot, JSON.parse(readFileSync(golden, 'utf8')))
  })

test('an identity of another trust domain is nobody here', () => {
  const { resources } = readResources(readFileSync(join(FOLDER, 'order-service.yaml'), 'utf8'), 'f')
  const snapshot = translate(
    resources.map(({ resource }) => resource),
    'weft.local',
    { identity: spiffeId('other.example', 'default', 'order-service'), workload: 'order-1' },
  )
  assert.equal(snapshot.workload.service, undefined)
  assert.deepEqual(snapshot.subscriptions, [])
  assert.ok(snapshot.policies.every(({ target }) => target.service === undefined))
})
