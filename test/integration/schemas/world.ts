import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Admin } from '@platformatic/kafka'
import { startBroker } from '@weft/control-plane/cli/broker'
import { createLog } from '@weft/schemas/node/log'
import { fastify } from 'fastify'
import {
  registerSchemaRoutes,
  SchemaLog,
  SchemaRegistry,
} from '../../../control-plane/src/schema-registry/index.ts'
import { ending } from '../../process/ending.ts'

const log = createLog('schemas-test')
log.level = 'silent'

export interface Answer {
  readonly status: number
  readonly body: unknown
}

/** One instance of the registry, on a port of its own. */
export interface Instance {
  readonly url: string
  ask(method: string, path: string, body?: unknown): Promise<Answer>
  /** Registers, and returns the version; throws what was answered instead. */
  register(subject: string, schema: unknown, type?: 'AVRO' | 'JSON'): Promise<{ id: number; version: number }>
  stop(): Promise<void>
}

export interface World {
  readonly bootstrapServers: readonly string[]
  startInstance(): Promise<Instance>
}

/** A real broker, and as many registries on it as are started. */
export async function startWorld(t: TestContext): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'weft-schemas-'))
  const end = ending(t)
  end.defer(() => rm(dataDir, { recursive: true, force: true }))
  const broker = await startBroker({ dataDir })
  end.defer(() => broker.stop())
  const { bootstrapServers } = broker
  return {
    bootstrapServers,
    async startInstance() {
      const instance = await startInstance(bootstrapServers)
      end.defer(() => instance.stop())
      return instance
    },
  }
}

async function startInstance(bootstrapServers: readonly string[]): Promise<Instance> {
  const connection = {
    clientId: 'registry',
    bootstrapBrokers: [...bootstrapServers],
    retries: 0,
    timeout: 5_000,
  }
  const admin = new Admin(connection)
  const schemaLog = new SchemaLog({
    connection: () => Promise.resolve(connection),
    admin: () => Promise.resolve(admin),
    log,
  })
  const app = fastify()
  registerSchemaRoutes(app, new SchemaRegistry(schemaLog))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  let stopped: Promise<void> | undefined
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(url + path, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    })
    return { status: response.status, body: await response.json() }
  }
  return {
    url,
    ask,
    async register(subject, schema, type = 'AVRO') {
      const sent = { schema: JSON.stringify(schema), ...(type !== 'AVRO' && { schemaType: type }) }
      const { status, body } = await ask('POST', `/subjects/${subject}/versions`, sent)
      if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
      return body as { id: number; version: number }
    },
    stop: () =>
      (stopped ??= (async () => {
        await app.close()
        await schemaLog.close()
        await admin.close()
      })()),
  }
}
