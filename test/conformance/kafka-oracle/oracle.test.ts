/**
 * The sidecar's policy against Kafka's own authorizer: the same request, as the same principal, to a broker with ACLs
 * and to the wire proxy with the policy that these ACLs were made of. The answers are the same, at every version.
 *
 * `WEFT_CONFORMANCE=all` asks at all versions; without it, at the first and the last.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { METADATA } from '../../../broker-bridge/src/wire/03-metadata.ts'
import { normalise } from './normalise.ts'
import { PRINCIPALS, type Principal } from './principals.ts'
import { type Asking, type Case, TOPIC_CASES } from './requests.ts'
import { ADMIN_CASES } from './requests-admin.ts'
import { GROUP_CASES, NEW_GROUP_CASES, TRANSACTION_CASES } from './requests-groups.ts'
import { type OracleWorld, startOracle } from './world.ts'

const EVERY_VERSION = process.env.WEFT_CONFORMANCE === 'all'
const MISSING_ID = Buffer.alloc(16, 9)

let world: OracleWorld
const ids = new Map<string, Buffer>()

before(async () => {
  world = await startOracle()
  const all = {
    topics: null,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
    tags: [],
  }
  for (const { name, topicId } of (await world.root.ask(METADATA, 12, all)).topics)
    if (name !== null) ids.set(name, Buffer.from(topicId))
  // The sidecars learn the ids as they would from any client.
  for (const { proxied } of world.sides.values()) await proxied.ask(METADATA, 12, all)
})
after(() => world[Symbol.asyncDispose]())

function versionsOf({ api }: Case): readonly number[] {
  const offered = world.offered.get(api.key)
  if (offered === undefined) return []
  const min = Math.max(api.versions[0], offered[0], api.key === 0 ? OLDEST_PRODUCE : 0)
  const max = Math.min(api.versions[1], offered[1])
  if (EVERY_VERSION) return Array.from({ length: max - min + 1 }, (_, index) => min + index)
  return min === max ? [min] : [min, max]
}
/** Brokers list older ones for old clients' sake, and refuse them. */
const OLDEST_PRODUCE = 3

const ANSWER_TIMEOUT_MS = 30_000

const idOf = (topic: string): Buffer => ids.get(topic) ?? MISSING_ID

async function answersTo({ api, message, except }: Case, version: number, principal: Principal) {
  const sides = world.sides.get(principal)
  assert.ok(sides)
  const answers: unknown[] = []
  for (const side of ['straight', 'proxied'] as const) {
    const own = `${side}-${principal}-${version}`
    const asking: Asking = { version, own, idOf }
    const silence = setTimeout(ANSWER_TIMEOUT_MS, undefined, { ref: false }).then(() =>
      assert.fail(`no answer ${side}, version ${version}`),
    )
    const answer = await Promise.race([sides[side].ask(api, version, message(asking)), silence])
    answers.push(normalise(answer, except))
  }
  return answers
}

for (const each of [
  ...TOPIC_CASES,
  ...GROUP_CASES,
  ...NEW_GROUP_CASES,
  ...TRANSACTION_CASES,
  ...ADMIN_CASES,
]) {
  for (const principal of PRINCIPALS) {
    test(`${each.api.name}, ${each.what}: ${principal} is answered as by Kafka`, async () => {
      for (const version of versionsOf(each)) {
        const [straight, proxied] = await answersTo(each, version, principal)
        assert.deepEqual(proxied, straight, `version ${version}`)
      }
    })
  }
}
