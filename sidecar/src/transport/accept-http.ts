import type { Socket } from 'node:net'
import { ServerConnection } from './http1/server-connection.ts'
import type { ServerConnectionOptions } from './http1/server-options.ts'
import { Http2ServerConnection } from './http2/server-connection.ts'

/** A connection on which HTTP is spoken, of the version that is `protocol`; what is not HTTP/2 is read, and refused, as HTTP/1.1. */
export function acceptHttp(
  socket: Socket,
  protocol: string,
  options: ServerConnectionOptions,
): ServerConnection | Http2ServerConnection {
  return protocol === 'http2'
    ? new Http2ServerConnection(socket, options)
    : new ServerConnection(socket, options)
}
