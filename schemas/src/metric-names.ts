/**
 * Every metric of Weft, by its Prometheus name: the one list that code, documents and dashboards share.
 * Labels are identities and names from the configuration, never paths, keys or anything that a caller chooses.
 */

interface MetricRow {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds in the unit of the name; histograms only. */
  readonly buckets?: readonly number[]
}

/** Half a millisecond to ten seconds, about 2.2 times apart: what a hop and what a timeout look like. */
const LATENCY_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const

/** direction: inbound | outbound (rejected: events too) · source, destination: service account or `-` · outcome as written · mode: api | push | wire */
export const METRICS = {
  weft_http_requests_total: {
    type: 'counter',
    help: 'HTTP requests by who called whom and the status they ended with; error: id where the sidecar itself answered, else -.',
    labels: ['direction', 'source', 'destination', 'status', 'error'],
  },
  weft_http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the request head to the end of the answer.',
    labels: ['direction', 'source', 'destination'],
    buckets: LATENCY_SECONDS,
  },
  weft_grpc_calls_total: {
    type: 'counter',
    help: 'gRPC calls by who called whom and the gRPC status they ended with; `-` where none came.',
    labels: ['direction', 'source', 'destination', 'grpc_status'],
  },
  weft_http_retries_total: {
    type: 'counter',
    help: 'Attempts after the first.',
    labels: ['destination', 'reason'],
  },
  weft_http_mirrored_total: {
    type: 'counter',
    help: 'Copies of requests by the service that they went to. outcome: answered | failed | left-out, because too many ran.',
    labels: ['destination', 'outcome'],
  },
  weft_http_rejected_total: {
    type: 'counter',
    help: 'Requests refused before a route was looked up, by error code.',
    labels: ['direction', 'code'],
  },
  weft_endpoints: {
    type: 'gauge',
    help: 'Endpoints of a service as this sidecar sees them. state: healthy | ejected | unhealthy.',
    labels: ['destination', 'state'],
  },
  weft_endpoint_checks_total: {
    type: 'counter',
    help: 'Active health checks. outcome: passed | failed.',
    labels: ['destination', 'outcome'],
  },
  weft_endpoint_ejections_total: {
    type: 'counter',
    help: 'Endpoints taken out for a while by outlier detection. reason: consecutive-failures | consecutive-gateway-failures | success-rate.',
    labels: ['destination', 'reason'],
  },
  weft_faults_injected_total: {
    type: 'counter',
    help: 'Requests held back, answered or broken off on purpose. kind: delay | abort, of Kafka clients: delay | not-leader | disconnect.',
    labels: ['destination', 'kind'],
  },
  weft_rate_limited_total: {
    type: 'counter',
    help: 'Requests over a rate limit, by its name.',
    labels: ['source', 'destination', 'limit'],
  },
  weft_concurrency_limit: {
    type: 'gauge',
    help: 'Requests at once that the app is thought to bear, where adaptive concurrency is on.',
    labels: [],
  },
  weft_tcp_connections_total: {
    type: 'counter',
    help: 'Opaque connections by who called whom; error: id of what refused one, else -.',
    labels: ['direction', 'source', 'destination', 'error'],
  },
  weft_tcp_bytes_total: {
    type: 'counter',
    help: 'Bytes of opaque connections. flow: sent by the caller | received by it.',
    labels: ['direction', 'source', 'destination', 'flow'],
  },
  weft_policy_refused_total: {
    type: 'counter',
    help: 'Actions refused (or, mode audit, that would have been).',
    labels: ['protocol', 'source', 'target', 'policy', 'mode'],
  },
  weft_jwt_verifications_total: {
    type: 'counter',
    help: 'Tokens of end users that were looked at, each once while it is valid. outcome: accepted | refused | no-keys.',
    labels: ['provider', 'outcome'],
  },
  weft_jwks_reads_total: {
    type: 'counter',
    help: 'Key sets read from where their issuer publishes them. outcome: ok | failed.',
    labels: ['provider', 'outcome'],
  },
  weft_kafka_records_total: {
    type: 'counter',
    help: 'Records produced and consumed. operation: produce | consume; outcome: ok | filtered | dropped | later | failed | refused | dead-letter.',
    labels: ['operation', 'mode', 'identity', 'topic', 'group', 'outcome'],
  },
  weft_kafka_bytes_total: {
    type: 'counter',
    help: 'Bytes of record batches or payloads.',
    labels: ['operation', 'mode', 'identity', 'topic'],
  },
  weft_kafka_lag_records: {
    type: 'gauge',
    help: 'Records behind what local Kafka clients have been given, over all their partitions; group: - where several share a client id.',
    labels: ['identity', 'topic', 'group'],
  },
  weft_kafka_throttle_seconds_total: {
    type: 'counter',
    help: 'For how long local Kafka clients were asked to wait, since they were over the quota of a topic.',
    labels: ['operation', 'identity', 'topic'],
  },
  weft_kafka_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from a request of a local Kafka client to its answer; a Fetch waits for records.',
    labels: ['identity', 'api'],
    buckets: LATENCY_SECONDS,
  },
  weft_kafka_connections: { type: 'gauge', help: 'Open connections of local Kafka clients.', labels: [] },
  weft_kafka_closed_total: {
    type: 'counter',
    help: 'Kafka connections closed by the sidecar, by reason.',
    labels: ['reason'],
  },
  weft_event_delivery_duration_seconds: {
    type: 'histogram',
    help: 'Time of one push delivery attempt.',
    labels: ['topic', 'group', 'outcome'],
    buckets: LATENCY_SECONDS,
  },
  weft_event_publish_duration_seconds: {
    type: 'histogram',
    help: 'Time from request to broker acknowledgement.',
    labels: ['topic'],
    buckets: LATENCY_SECONDS,
  },
  weft_event_spool_bytes: {
    type: 'gauge',
    help: 'Bytes of events that wait on the disk for the broker.',
    labels: ['topic'],
  },
  weft_certificate_expiry_seconds: {
    type: 'gauge',
    help: 'Unix time at which the workload certificate ends.',
    labels: [],
  },
  weft_config_version: { type: 'gauge', help: 'Version of the snapshot in use.', labels: [] },
  weft_telemetry_spans_total: {
    type: 'counter',
    help: 'Spans that came by OTLP to the control plane. outcome: received | rejected.',
    labels: ['outcome'],
  },
  weft_config_connected: { type: 'gauge', help: '1 while the config stream is open.', labels: [] },
} as const satisfies Record<string, MetricRow>

export type MetricName = keyof typeof METRICS
