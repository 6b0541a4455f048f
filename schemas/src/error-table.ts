/** The closed list of error codes, each with its row: see error.ts. */

export interface ErrorRow {
  /** Stable public number, shown to people and resolvable at `/problems/WEFT…`. */
  readonly id: string
  readonly title: string
  readonly http: number
  readonly grpc: number
  readonly kafka: number
  /** True when the request was not processed, or can be sent again without harm. */
  readonly retryable: boolean
  /** True when the connection that carried it cannot be trusted to be in step any more. */
  readonly close: boolean
  readonly hint: string
}

const row = (
  id: string,
  title: string,
  status: readonly [http: number, grpc: number, kafka: number],
  hint: string,
  flags: 'retry' | 'close' | 'none' = 'none',
): ErrorRow => ({
  id,
  title,
  http: status[0],
  grpc: status[1],
  kafka: status[2],
  retryable: flags === 'retry',
  close: flags === 'close',
  hint,
})

/** Kafka codes: 3 UNKNOWN_TOPIC_OR_PARTITION, 7 REQUEST_TIMED_OUT, 10 MESSAGE_TOO_LARGE, 14 COORDINATOR_LOAD_IN_PROGRESS,
 *  29 TOPIC_AUTHORIZATION_FAILED, 35 UNSUPPORTED_VERSION, 42 INVALID_REQUEST, 87 INVALID_RECORD, 89 THROTTLING_QUOTA_EXCEEDED, -1 UNKNOWN_SERVER_ERROR. */
export const ERROR_TABLE = {
  invalid_request: row(
    'WEFT1001',
    'The request is malformed',
    [400, 3, 42],
    'Send a request that follows RFC 9112.',
    'close',
  ),
  payload_too_large: row(
    'WEFT1002',
    'The payload is too large',
    [413, 8, 10],
    'Send less, or raise the limit.',
    'close',
  ),
  headers_too_large: row(
    'WEFT1003',
    'The header section is too large',
    [431, 8, 42],
    'Send fewer or shorter headers.',
    'close',
  ),
  request_timeout: row(
    'WEFT1004',
    'The request did not arrive in time',
    [408, 4, 7],
    'Send the whole head within the limit.',
    'close',
  ),
  not_implemented: row(
    'WEFT1005',
    'Not implemented',
    [501, 12, 35],
    'This method, coding or version is not supported.',
    'close',
  ),
  http_version: row(
    'WEFT1006',
    'HTTP version not supported',
    [505, 12, 35],
    'Use HTTP/1.1 or HTTP/2.',
    'close',
  ),
  unsupported_media_type: row(
    'WEFT1007',
    'The content type is not supported',
    [415, 3, 42],
    'Send one of the content types that the message names.',
  ),
  misdirected: row(
    'WEFT1008',
    'This host is not served here',
    [421, 9, -1],
    'Use a loopback name or the configured host as authority.',
  ),
  unauthenticated: row(
    'WEFT2001',
    'The caller has no valid identity',
    [401, 16, 29],
    'Present a certificate of this trust domain.',
  ),
  invalid_token: row(
    'WEFT2002',
    'The token of the request is not valid',
    [401, 16, 29],
    'Get a new token of the issuer, or send none.',
  ),
  permission_denied: row(
    'WEFT2003',
    'Refused by policy',
    [403, 7, 29],
    'See which policy decided with `weft can`.',
  ),
  unknown_host: row(
    'WEFT3001',
    'No service has this host',
    [502, 14, -1],
    'Define a Service with this name, or correct the Host header.',
  ),
  forbidden_address: row(
    'WEFT3020',
    'The host leads where no call may go',
    [502, 7, -1],
    'Name the address in an ExternalService if it is meant.',
  ),
  no_endpoint: row(
    'WEFT3002',
    'The service has no endpoint',
    [503, 14, -1],
    'Start a workload that the Service selects.',
    'retry',
  ),
  connect_failed: row(
    'WEFT3003',
    'No connection to the upstream',
    [503, 14, -1],
    'Is the upstream running? Its sidecar may be gone.',
    'retry',
  ),
  upstream_reset: row(
    'WEFT3004',
    'The upstream closed the connection early',
    [502, 14, -1],
    'Look at the log of the upstream.',
  ),
  upstream_timeout: row(
    'WEFT3005',
    'The upstream did not answer in time',
    [504, 4, 7],
    'Raise the route timeout, or make the upstream faster.',
  ),
  upstream_protocol: row(
    'WEFT3006',
    'The upstream answered something that is not HTTP',
    [502, 13, -1],
    'Look at the log of the upstream.',
  ),
  overloaded: row(
    'WEFT3007',
    'Too many requests in flight',
    [503, 14, -1],
    'Wait for Retry-After seconds, then try again.',
    'retry',
  ),
  draining: row(
    'WEFT3008',
    'The sidecar is stopping',
    [503, 14, 14],
    'Try again: another instance will answer.',
    'retry',
  ),
  cancelled: row('WEFT3009', 'The caller went away', [499, 1, -1], 'Nothing to do.', 'close'),
  peer_identity: row(
    'WEFT3010',
    'The upstream proved another identity than expected',
    [503, 14, -1],
    'Does another process hold this address?',
    'retry',
  ),
  no_route: row(
    'WEFT3011',
    'No rule of the routes matches the request',
    [404, 12, -1],
    'Look at the HTTPRoutes and GRPCRoutes of the service: one that has routes answers to nothing else.',
  ),
  no_backend: row(
    'WEFT3012',
    'The route leads to no backend',
    [500, 14, -1],
    'Correct backendRefs of the rule that the message names.',
  ),
  rate_limited: row(
    'WEFT3013',
    'Too many requests',
    [429, 8, 89],
    'Wait for Retry-After seconds; RateLimit-Policy says how much is allowed.',
    'retry',
  ),
  fault_injected: row(
    'WEFT3014',
    'A fault was made on purpose',
    [503, 14, -1],
    'A TrafficPolicy of the service asks for it.',
  ),
  unknown_topic: row('WEFT4001', 'Unknown topic', [404, 5, 3], 'Define a Topic with this name.'),
  event_too_large: row(
    'WEFT4002',
    'The event is too large',
    [413, 8, 10],
    'Send less, or raise max.message.bytes of the topic.',
  ),
  broker_unavailable: row(
    'WEFT4003',
    'The broker did not acknowledge',
    [503, 14, 7],
    'Nothing was promised: try again after Retry-After seconds.',
    'retry',
  ),
  invalid_event: row(
    'WEFT4004',
    'The event is malformed',
    [400, 3, 87],
    'Send a CloudEvent, or any body with its content type.',
  ),
  event_buffer_full: row(
    'WEFT4005',
    'Too many events are in flight',
    [429, 8, 89],
    'Nothing was accepted: try again after Retry-After seconds.',
    'retry',
  ),
  schema_mismatch: row(
    'WEFT4006',
    'The event does not fit the schema of its topic',
    [422, 3, 87],
    'Send what the message names at each path; `weft schema check` says so before.',
  ),
  invalid_resource: row(
    'WEFT5001',
    'The resource is invalid',
    [422, 3, 42],
    'Correct the listed faults; nothing was changed.',
  ),
  not_found: row('WEFT5002', 'Not found', [404, 5, -1], 'Check kind, namespace and name.'),
  conflict: row('WEFT5003', 'Conflict', [409, 10, -1], 'Read the current state and try again.'),
  unavailable: row('WEFT5004', 'Not ready', [503, 14, 14], 'Wait until /ready answers 200.', 'retry'),
  precondition_failed: row(
    'WEFT5005',
    'The resource has changed since it was read',
    [412, 9, -1],
    'Read it again, and send the change with its new ETag.',
  ),
  internal: row(
    'WEFT9001',
    'Internal error',
    [500, 13, -1],
    'This is a fault of Weft: please report it with the trace id.',
  ),
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERROR_TABLE
