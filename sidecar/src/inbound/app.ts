/** The end of the inbound path: the local app, over pooled plain HTTP/1.1 on loopback. */
import { connect } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { DEFAULT_TRAFFIC } from '@weft/schemas/snapshot'
import { Pool, type PoolOptions } from '../transport/http1/pool.ts'

const APP_HOST = '127.0.0.1'
/** Node's http server closes idle connections after 5 s: be there first, for those that do not say so. */
const IDLE_TIMEOUT_MS = 4_000

export function appPool(port: number): Pool {
  return new Pool({
    name: `the app at ${APP_HOST}:${port}`,
    dial: dialApp(port),
    budget: {
      maxConnections: DEFAULT_TRAFFIC.maxConnections,
      maxWaiting: DEFAULT_TRAFFIC.maxPendingRequests,
      connectTimeoutMs: DEFAULT_TRAFFIC.connectTimeoutMs,
      connections: 0,
      waiting: 0,
    },
    idleTimeoutMs: IDLE_TIMEOUT_MS,
  })
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
