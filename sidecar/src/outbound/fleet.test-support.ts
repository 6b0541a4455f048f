/** A caller's sidecar and several of one service, each with an app of its own, for tests of what is chosen among them. */

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { Server as NetServer } from 'node:net'
import { trace } from '@opentelemetry/api'
import { createLog } from '@weft/schemas/node/log'
import type { Endpoint, TrafficSettings } from '@weft/schemas/snapshot'
import { startInbound } from '../inbound/index.ts'
import { type Pair, portOf, serviceOf, startPair } from './pair.test-support.ts'

export interface FleetMember {
  readonly app: RequestListener
  /** What it speaks on loopback; HTTP/1.1 where absent. */
  readonly protocol?: 'h2c'
  readonly labels?: Readonly<Record<string, string>>
  readonly weight?: number
}

export interface Fleet extends AsyncDisposable {
  readonly pair: Pair
  /** Of the outbound listener. */
  readonly port: number
  readonly endpoints: readonly Endpoint[]
  /** Another snapshot: these endpoints, these settings. */
  change(endpoints: readonly Endpoint[], traffic?: Partial<TrafficSettings>): void
}

export async function startFleet(
  members: readonly FleetMember[],
  traffic: Partial<TrafficSettings> = {},
): Promise<Fleet> {
  const pair = await startPair()
  const started = await Promise.all(members.map((member) => startMember(pair, member)))
  const endpoints = started.map(({ endpoint }) => endpoint)
  const change: Fleet['change'] = (some, settings = traffic) =>
    pair.outboundSnapshots.change({ services: [serviceOf(some, settings)] })
  change(endpoints)
  return {
    pair,
    port: pair.outbound.port,
    endpoints,
    change,
    async [Symbol.asyncDispose]() {
      await pair[Symbol.asyncDispose]()
      await Promise.all(started.map((member) => member[Symbol.asyncDispose]()))
    },
  }
}

async function startMember(pair: Pair, { app, protocol, labels = {}, weight }: FleetMember) {
  // Node's compatibility API takes the same listener.
  const http2 = protocol === 'h2c' ? createHttp2Server(app as never) : undefined
  const http1 = http2 === undefined ? createServer(app) : undefined
  const server = (http2 ?? (http1 as NetServer)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const log = createLog('test')
  log.level = 'silent'
  const inbound = await startInbound({
    host: '127.0.0.1',
    port: 0,
    snapshots: pair.inboundSnapshots,
    identity: pair.serverIdentity,
    metrics: pair.metrics,
    log,
    tracer: trace.getTracer('test'),
    appPort: portOf(server),
  })
  const endpoint: Endpoint = {
    ...pair.endpoint,
    port: inbound.port,
    labels,
    ...(weight !== undefined && { weight }),
  }
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      await inbound.drain(0)
      server.close()
      http1?.closeAllConnections()
    },
  }
}
