import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { newPublicKey, openAuthority, temporaryFolder } from './ca.test-support.ts'
import { type JoinTokens, openJoinTokens, type Redemption } from './join-tokens.ts'

const ORDERS = { namespace: 'default', serviceAccount: 'order-service' }

async function openTokens(stateDir: string): Promise<JoinTokens> {
  return openJoinTokens({ stateDir, authority: await openAuthority(stateDir) })
}
const refusal = (redemption: Redemption): string => ('refused' in redemption ? redemption.refused : '')

test('a token gives the identity that it was made for, once, also after a restart', async () => {
  await using folder = await temporaryFolder()
  const tokens = await openTokens(folder.path)
  const { token, expiresAt } = await tokens.create(ORDERS)
  assert.match(token, /^weft-join\.[\w-]{43}\.[\w-]{43}$/)
  assert.ok(expiresAt.getTime() > Date.now() + 590_000)
  assert.deepEqual(await (await openTokens(folder.path)).redeem(token, newPublicKey()), {
    identity: {
      trustDomain: 'weft.local',
      uri: 'spiffe://weft.local/ns/default/sa/order-service',
      ...ORDERS,
    },
  })
  assert.match(refusal(await tokens.redeem(token, newPublicKey())), /was used already; make a new one/)
  assert.match(
    refusal(await (await openTokens(folder.path)).redeem(token, newPublicKey())),
    /was used already/,
  )
})

test('of fifty that redeem one token at once, through two stores, one gets it', async () => {
  await using folder = await temporaryFolder()
  const tokens = await openTokens(folder.path)
  const { token } = await tokens.create(ORDERS)
  const other = await openTokens(folder.path)
  const redemptions = await Promise.all(
    Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? tokens : other).redeem(token, newPublicKey())),
  )
  assert.equal(redemptions.filter((one) => 'identity' in one).length, 1)
})

test('the key that redeemed may ask again, for the answer that got lost', async () => {
  await using folder = await temporaryFolder()
  const tokens = await openTokens(folder.path)
  const { token } = await tokens.create(ORDERS)
  const key = newPublicKey()
  assert.deepEqual(await tokens.redeem(token, key), await tokens.redeem(token, key))
})

test('a token that was redeemed stays so when the process is killed right after', async () => {
  await using folder = await temporaryFolder()
  const { token } = await (await openTokens(folder.path)).create(ORDERS)
  const child = redeemInChild(folder.path, token)
  assert.ok(child.stdout)
  const output: unknown[] = await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.match(String(output[0]), /order-service/)
  assert.match(
    refusal(await (await openTokens(folder.path)).redeem(token, newPublicKey())),
    /was used already/,
  )
})

/** A process that redeems, says so and then does nothing more. */
function redeemInChild(stateDir: string, token: string): ChildProcess {
  const program = `
    const { openAuthority, newPublicKey } = await import('./ca.test-support.ts')
    const { openJoinTokens } = await import('./join-tokens.ts')
    const [, stateDir, token] = process.argv
    const tokens = await openJoinTokens({ stateDir, authority: await openAuthority(stateDir) })
    process.stdout.write(JSON.stringify(await tokens.redeem(token, newPublicKey())))
    setInterval(() => {}, 1000)`
  const args = ['--input-type=module', '--eval', program, stateDir, token]
  return spawn(process.execPath, args, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
}

test('what is no token, is forged, or is of another root is refused with a reason', async () => {
  await using folder = await temporaryFolder()
  await using elsewhere = await temporaryFolder()
  const tokens = await openTokens(folder.path)
  const { token } = await tokens.create(ORDERS)
  const [prefix, , root] = token.split('.')
  const foreign = await (await openTokens(elsewhere.path)).create(ORDERS)
  for (const [text, reason] of [
    ['', /is no join token/],
    [`${token}x`, /is no join token/],
    [`${token}\n`, /is no join token/],
    ['x'.repeat(1_000_000), /is no join token/],
    [`${prefix}.../../../../../../etc/passwd${'A'.repeat(21)}.${root}`, /is no join token/],
    [`${prefix}.${'A'.repeat(43)}.${root}`, /is unknown/],
    [foreign.token, /was made by another control plane/],
  ] as const)
    assert.match(refusal(await tokens.redeem(text, newPublicKey())), reason)
  assert.ok('identity' in (await tokens.redeem(token, newPublicKey())))
})

test('a token ends, and its files go with it', async (t) => {
  await using folder = await temporaryFolder()
  const tokens = await openTokens(folder.path)
  const { token } = await tokens.create({ ...ORDERS, ttlSeconds: 60 })
  const used = await tokens.create({ ...ORDERS, ttlSeconds: 60 })
  await tokens.redeem(used.token, newPublicKey())
  t.after(() => mock.timers.reset())
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 61_000 })
  assert.match(refusal(await tokens.redeem(token, newPublicKey())), /ended at/)
  await tokens.create(ORDERS)
  assert.equal((await readdir(join(folder.path, 'tokens'))).length, 1)
  assert.match(refusal(await tokens.redeem(used.token, newPublicKey())), /is unknown/)
})

test('no secret is stored', async () => {
  await using folder = await temporaryFolder()
  const { token } = await (await openTokens(folder.path)).create(ORDERS)
  const secret = token.split('.')[1] ?? ''
  const path = join(folder.path, 'tokens')
  for (const name of await readdir(path)) {
    assert.ok(!name.includes(secret))
    assert.ok(!(await readFile(join(path, name), 'utf8')).includes(secret))
  }
})

test('requests are checked, the control plane’s own name is not given away', async () => {
  await using folder = await temporaryFolder()
  const tokens = await openTokens(folder.path)
  for (const request of [
    { ...ORDERS, ttlSeconds: 0 },
    { ...ORDERS, ttlSeconds: 86_401 },
    { ...ORDERS, ttlSeconds: Number.NaN },
    { ...ORDERS, namespace: '../x' },
    { ...ORDERS, serviceAccount: '' },
    { namespace: 'weft-system', serviceAccount: 'control-plane' },
  ])
    await assert.rejects(tokens.create(request), { code: 'invalid_resource' })
})

test('a token file that cannot be read is dropped, the others stay', async () => {
  await using folder = await temporaryFolder()
  const { token } = await (await openTokens(folder.path)).create(ORDERS)
  for (const [name, content] of [
    ['aa.json', ''],
    ['bb.json', 'null'],
    ['cc.json', '{"namespace":1}'],
  ] as const)
    await writeFile(join(folder.path, 'tokens', name), content)
  const tokens = await openTokens(folder.path)
  assert.equal((await readdir(join(folder.path, 'tokens'))).length, 1)
  assert.ok('identity' in (await tokens.redeem(token, newPublicKey())))
})
