import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog, type Log } from '@weft/schemas/node/log'
import type { NamedPolicy } from '@weft/schemas/policy'
import { call } from '../outbound/calling.test-support.ts'
import { exchange, startPair } from '../outbound/pair.test-support.ts'

const policy = (part: Partial<NamedPolicy>): NamedPolicy => ({
  name: 'server',
  namespace: 'default',
  target: { service: 'server' },
  action: 'allow',
  mode: 'enforce',
  rules: [{ from: [{ serviceAccount: 'client' }], to: [{ http: { paths: ['/public/*'] } }] }],
  ...part,
})
const denyAdmin = policy({
  name: 'no-admin',
  action: 'deny',
  rules: [{ to: [{ http: { paths: ['/admin', '/admin/*'] } }] }],
})
const allowAll = policy({ rules: [{ from: [{ serviceAccount: 'client' }] }] })

/** A log whose lines can be read. */
function recordingLog(): { readonly log: Log; readonly lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const log = createLog('test')
  const record = (level: string) => (fields: object, message: string) => {
    lines.push({ level, message, ...fields })
  }
  const recording = Object.assign(Object.create(log) as Log, { warn: record('warn'), debug: record('debug') })
  return { log: recording, lines }
}

describe('the policy', () => {
  it('lets through what it allows, with the bytes of the path as they came', async () => {
    const paths: (string | undefined)[] = []
    await using pair = await startPair({
      app(sent, answer) {
        paths.push(sent.url)
        answer.end('ok')
      },
      snapshot: { defaultAction: 'deny', policies: [policy({})] },
    })

    const { status } = await call(pair.outbound.port, { path: '/public/./%61?q=%2f..' })

    assert.equal(status, 200)
    assert.deepEqual(paths, ['/public/./%61?q=%2f..'])
  })

  it('refuses the rest with 403, and names identity, target and trace', async () => {
    const { log, lines } = recordingLog()
    await using pair = await startPair({
      log,
      snapshot: { defaultAction: 'deny', policies: [policy({}), denyAdmin] },
    })

    const unlisted = await call(pair.outbound.port, { path: '/private' })
    const denied = await call(pair.outbound.port, {
      path: '/admin/x',
      method: 'POST',
      body: 'x'.repeat(300_000),
    })

    const identity = 'spiffe://weft.local/ns/default/sa/client'
    assert.deepEqual([unlisted.status, denied.status], [403, 403])
    assert.equal(denied.problem.code, 'WEFT2003')
    assert.equal(denied.problem.identity, identity)
    assert.equal(denied.problem.target, 'default/server')
    assert.equal(denied.problem.policy, 'default/no-admin')
    assert.ok(String(denied.headers.traceparent).includes(String(denied.problem.traceId)))
    const refusals = lines.filter(({ message }) => message === 'refused by policy')
    assert.deepEqual(
      refusals.map(({ identity: who, action, target, policy: by, reason }) => ({
        who,
        action,
        target,
        by,
        reason,
      })),
      [
        {
          who: identity,
          action: 'GET /private',
          target: 'default/server',
          by: 'default/server',
          reason: 'no-policy-allows',
        },
        {
          who: identity,
          action: 'POST /admin/x',
          target: 'default/server',
          by: 'default/no-admin',
          reason: 'denied-by-policy',
        },
      ],
    )
    const { values } = await pair.metrics.counter('weft_policy_refused_total').get()
    assert.deepEqual(
      values.map(({ labels, value }) => [labels.source, labels.target, labels.policy, labels.mode, value]),
      [
        ['client', 'server', 'default/server', 'enforce', 1],
        ['client', 'server', 'default/no-admin', 'enforce', 1],
      ],
    )
  })

  it('in audit mode lets through, and counts', async () => {
    await using pair = await startPair({
      snapshot: { defaultAction: 'deny', policies: [allowAll, { ...denyAdmin, mode: 'audit' }] },
    })

    assert.equal((await call(pair.outbound.port, { path: '/admin' })).status, 200)
    const { values } = await pair.metrics.counter('weft_policy_refused_total').get()
    assert.deepEqual(values[0]?.labels, {
      protocol: 'http',
      source: 'client',
      target: 'server',
      policy: 'default/no-admin',
      mode: 'audit',
    })
  })

  it('cannot be walked round by the way a path is written', async () => {
    const paths: (string | undefined)[] = []
    await using pair = await startPair({
      app(sent, answer) {
        paths.push(sent.url)
        answer.end()
      },
      snapshot: { defaultAction: 'deny', policies: [allowAll, denyAdmin] },
    })
    const ways = [
      '/admin',
      '//admin',
      '/./admin',
      '/a/../admin',
      '/a/%2e%2e/admin',
      '/%61dmin',
      '/%2e/admin',
      '/admin/',
      '/admin//x',
      '/x/..%2fadmin',
      '/%2fadmin',
      '/a%5c..%5cadmin',
      '/admin%00',
      '/admin%2f..',
      '/..;/admin',
      '/a//../admin',
      '/x/%2E%2E/admin',
      '/admin/../admin',
      '/%zzadmin',
      '/a\\..\\admin',
      '/admin?x',
      '/public/../admin/x',
    ]

    for (const way of ways) {
      const received = await exchange(
        pair.outbound.port,
        `GET ${way} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n`,
      )
      assert.match(received, /^HTTP\/1\.1 403 /, way)
    }
    assert.deepEqual(paths, [])
  })

  it('holds for callers without identity on the ingress', async () => {
    const open = policy({
      name: 'open',
      rules: [{ from: [{ anonymous: true }], to: [{ http: { paths: ['/shop'] } }] }],
    })
    await using pair = await startPair({
      plaintext: true,
      snapshot: { defaultAction: 'deny', policies: [allowAll, open] },
    })

    assert.equal((await call(pair.inbound.port, { path: '/shop' })).status, 200)
    const refused = await call(pair.inbound.port, { path: '/orders' })
    assert.equal(refused.status, 403)
    assert.equal(refused.problem.identity, 'anonymous')
  })

  it('that changes is followed by the next request of an open connection', async () => {
    await using pair = await startPair({ snapshot: { defaultAction: 'deny', policies: [allowAll] } })
    assert.equal((await call(pair.outbound.port)).status, 200)

    pair.inboundSnapshots.change({ policies: [] })

    assert.equal((await call(pair.outbound.port)).status, 403)
  })
})

describe('without what it needs, inbound', () => {
  it('answers 503 where no Service selects the workload', async () => {
    const workload = { identity: 'spiffe://weft.local/ns/default/sa/server', namespace: 'default' }
    await using pair = await startPair({ plaintext: true, snapshot: { workload } })

    const { status, problem } = await call(pair.inbound.port)

    assert.deepEqual([status, problem.code], [503, 'WEFT5004'])
  })

  it('answers 503 where the app is down', async () => {
    await using pair = await startPair({ plaintext: true, inboundAppPort: 1 })

    const { status, problem, headers } = await call(pair.inbound.port, { method: 'POST', body: 'x' })

    assert.deepEqual([status, problem.code, headers['retry-after']], [503, 'WEFT3003', '1'])
  })
})
