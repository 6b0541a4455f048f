/** The end of the inbound path: the local app, over plain HTTP/1.1 or HTTP/2 with prior knowledge on loopback. */
import { connect } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { DEFAULT_TRAFFIC } from '@weft/schemas/snapshot'
import type { Service } from '../transport/exchange.ts'
import { Pool, type PoolBudget, type PoolOptions } from '../transport/pool.ts'

export const APP_HOST = '127.0.0.1'
/** Node's http server closes idle connections after 5 s: be there first, for those that do not say so. */
const IDLE_TIMEOUT_MS = 4_000

/** The app, as the inbound path sees it. */
export interface App extends Service {
  dropExpired(now: number): void
  close(): Promise<void>
}

/**
 * The app at `port`. `isHttp2`: its Service says that it speaks HTTP/2, asked for each request, because that may change. gRPC goes
 * over HTTP/2 whatever the Service says: it can go over nothing else.
 */
export function appAt(port: number, isHttp2: () => boolean): App {
  const budget: PoolBudget = {
    maxConnections: DEFAULT_TRAFFIC.maxConnections,
    maxWaiting: DEFAULT_TRAFFIC.maxPendingRequests,
    connectTimeoutMs: DEFAULT_TRAFFIC.connectTimeoutMs,
    connections: 0,
    waiting: 0,
  }
  const poolOf = (protocol: 'http1' | 'http2'): Pool =>
    new Pool({
      name: `the app at ${APP_HOST}:${port}`,
      dial: dialApp(port),
      protocol,
      budget,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
    })
  const http1 = poolOf('http1')
  const http2 = poolOf('http2')
  return {
    call: (head, response) => (head.isGrpc || isHttp2() ? http2 : http1).call(head, response),
    dropExpired(now) {
      http1.dropExpired(now)
      http2.dropExpired(now)
    },
    async close() {
      await Promise.all([http1.close(), http2.close()])
    },
  }
}

const dialApp =
  (port: number): PoolOptions['dial'] =>
  (ready, failed) => {
    const socket = connect({ host: APP_HOST, port, noDelay: true })
    const onError = (cause: Error): void => {
      const why = 'code' in cause ? String(cause.code) : cause.message
      failed(
        new MeshError('connect_failed', `no connection to the app at ${APP_HOST}:${port}: ${why}`, { cause }),
      )
    }
    socket.once('error', onError)
    socket.once('connect', () => {
      socket.removeListener('error', onError)
      ready(socket)
    })
    return socket
  }
