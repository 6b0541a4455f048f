import { isIdentityHeader } from '../identity-headers.ts'

/**
 * What the connection is framed by (RFC 9110, section 7.6.1; RFC 9112, section 6), what the trace layer writes, and the
 * status of a gRPC call. A route that changed one of these would change what others read, not what the app gets.
 */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'traceparent',
  'tracestate',
  'grpc-message',
  'grpc-status',
  'grpc-timeout',
])

/** True for a header that the sidecar writes itself, so that a filter of a route may not. `name` is in lower case. */
export const isOwnHeader = (name: string): boolean => OWN_HEADERS.has(name) || isIdentityHeader(name)
