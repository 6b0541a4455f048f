/**
 * One broker with StandardAuthorizer and two ways in. Straight: as the principal itself, judged by the broker's ACLs.
 * Through the wire proxy: the broker lets everybody do everything (ANONYMOUS is a super user), the policy judges.
 */

import { Admin } from '@platformatic/kafka'
import type { IdentitySource } from '@weft/schemas/node/identity'
import { subjectOf } from '@weft/schemas/policy'
import { indexSnapshot } from '@weft/schemas/snapshot'
import { spiffeId } from '@weft/schemas/spiffe'
import {
  COORDINATOR_OF_GROUP,
  COORDINATOR_OF_TRANSACTION,
  FIND_COORDINATOR,
} from '../../../broker-bridge/src/wire/10-find-coordinator.ts'
import { SASL_HANDSHAKE } from '../../../broker-bridge/src/wire/17-sasl-handshake.ts'
import { API_VERSIONS } from '../../../broker-bridge/src/wire/18-api-versions.ts'
import { INIT_PRODUCER_ID } from '../../../broker-bridge/src/wire/22-init-producer-id.ts'
import { SASL_AUTHENTICATE } from '../../../broker-bridge/src/wire/36-sasl-authenticate.ts'
import { createAcls } from '../../../control-plane/src/acls/broker-acls.ts'
import { planAcls } from '../../../control-plane/src/acls/plan.ts'
import { choosePort } from '../../../control-plane/src/cli/up/free-port.ts'
import { RawClient } from '../../integration/wire-proxy/raw-client.ts'
import {
  type Bridge,
  createTopics,
  eventually,
  startBridge,
  startWorld,
  type World,
} from '../../integration/wire-proxy/world.ts'
import { Snapshots, someIdentity } from '../../process/workload.ts'
import { POLICIES, PRINCIPALS, type Principal, TOPICS } from './principals.ts'

export interface Sides {
  /** Judged by the broker. */
  readonly straight: RawClient
  /** Judged by the policy. */
  readonly proxied: RawClient
}

export interface OracleWorld extends AsyncDisposable {
  readonly sides: ReadonlyMap<Principal, Sides>
  /** As a super user, past everything. */
  readonly root: RawClient
  /** First and last version that the broker offers, by API key. */
  readonly offered: ReadonlyMap<number, readonly [min: number, max: number]>
}

const PASSWORD = 'of-this-test-only'
const PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required'

const subjectNamed = (principal: Principal) => spiffeId('weft.local', 'default', principal)

export async function startOracle(): Promise<OracleWorld> {
  const saslPort = await choosePort()
  const port = await choosePort()
  const controllerPort = await choosePort()
  const users = PRINCIPALS.map((name) => `user_${name}="${PASSWORD}"`).join(' ')
  const world = await startWorld({
    port,
    properties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      listeners: `CLIENT://127.0.0.1:${port},SASL://127.0.0.1:${saslPort},CONTROLLER://127.0.0.1:${controllerPort}`,
      'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
      'advertised.listeners': `CLIENT://127.0.0.1:${port},SASL://127.0.0.1:${saslPort}`,
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT',
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.sasl.plain.sasl.jaas.config': `${PLAIN} ${users};`,
    },
  })
  const closing: (AsyncDisposable | Disposable)[] = [world]
  const root = await RawClient.connect(port)
  closing.push(root)
  await createTopics(world, ...Object.keys(TOPICS))
  // The first who asks for a coordinator has its topic made, and is told to come again.
  for (const keyType of [COORDINATOR_OF_GROUP, COORDINATOR_OF_TRANSACTION])
    await eventually('a coordinator', async () => {
      const message = { ...FIND_COORDINATOR.request.absent, keyType, key: 'any' }
      return (await root.ask(FIND_COORDINATOR, 2, message)).errorCode === 0
    })
  await eventually('a producer id', async () => {
    const message = { ...INIT_PRODUCER_ID.request.absent, transactionTimeoutMs: 10_000 }
    return (await root.ask(INIT_PRODUCER_ID, 1, message)).errorCode === 0
  })
  await writeAcls(world.broker.bootstrapServers)
  const sides = new Map<Principal, Sides>()
  for (const principal of PRINCIPALS) {
    const bridge = await bridgeOf(world, principal)
    const straight = await authenticated(saslPort, principal)
    const proxied = await RawClient.connect(bridge.proxy.port)
    closing.push(bridge, straight, proxied)
    sides.set(principal, { straight, proxied })
  }
  const { apiKeys } = await root.ask(API_VERSIONS, 3, {
    clientSoftwareName: 'oracle',
    clientSoftwareVersion: '1',
    tags: [],
  })
  return {
    sides,
    root,
    offered: new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]])),
    async [Symbol.asyncDispose]() {
      for (const each of closing.reverse())
        await (Symbol.asyncDispose in each ? each[Symbol.asyncDispose]() : each[Symbol.dispose]())
    },
  }
}

function bridgeOf(world: World, principal: Principal): Promise<Bridge> {
  const identity: IdentitySource = {
    ...someIdentity,
    current: () => ({ ...someIdentity.current(), spiffeId: subjectNamed(principal) }),
  }
  return startBridge(world, POLICIES, { identity })
}

async function authenticated(port: number, principal: Principal): Promise<RawClient> {
  const client = await RawClient.connect(port)
  await client.ask(SASL_HANDSHAKE, 1, { mechanism: 'PLAIN', tags: [] })
  const authBytes = Buffer.from(`\0${principal}\0${PASSWORD}`)
  const { errorMessage } = await client.ask(SASL_AUTHENTICATE, 2, { authBytes, tags: [] })
  if (errorMessage !== null && errorMessage !== '') throw new Error(errorMessage)
  return client
}

async function writeAcls(bootstrapServers: readonly string[]): Promise<void> {
  const { policies } = indexSnapshot(new Snapshots({ policies: POLICIES }).current().snapshot)
  const workloads = PRINCIPALS.map((name) => ({
    subject: subjectOf(subjectNamed(name)),
    principal: `User:${name}`,
  }))
  const admin = new Admin({ clientId: 'oracle', bootstrapBrokers: [...bootstrapServers] })
  try {
    await createAcls(admin, planAcls(policies, workloads).bindings)
  } finally {
    await admin.close()
  }
}
