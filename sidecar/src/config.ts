import {
  address,
  type ConfigOf,
  choice,
  durationMs,
  optionalPort,
  optionalText,
  optionalUrl,
  port,
  readConfig,
  text,
} from '@weft/schemas/node/config'

const SHAPE = {
  controlPlane: ['WEFT_CONTROL_PLANE', address('127.0.0.1:15012')],
  joinTokenFile: ['WEFT_JOIN_TOKEN_FILE', text()],
  /** Name of the Workload resource of this instance, in the namespace of its identity. */
  workload: ['WEFT_WORKLOAD', text()],
  appPort: ['WEFT_APP_PORT', optionalPort],
  telemetryUrl: ['WEFT_TELEMETRY_URL', optionalUrl],
  otlpEndpoint: ['OTEL_EXPORTER_OTLP_ENDPOINT', optionalUrl],
  outboundPort: ['WEFT_OUTBOUND_PORT', port(15_001)],
  /** Loopback until somebody says otherwise: a fresh sidecar on a laptop is not on the network. */
  inboundHost: ['WEFT_INBOUND_HOST', text('127.0.0.1')],
  inboundPort: ['WEFT_INBOUND_PORT', port(15_006)],
  /** Plain text: beyond loopback only where something in front of it is the edge, as a published container port is. */
  ingressHost: ['WEFT_INGRESS_HOST', text('127.0.0.1')],
  ingressPort: ['WEFT_INGRESS_PORT', optionalPort],
  /** For a workload that serves a Gateway: where its ports are bound, and the folder of its certificates. */
  gatewayHost: ['WEFT_GATEWAY_HOST', text('127.0.0.1')],
  gatewayCertificates: ['WEFT_GATEWAY_CERTIFICATES', optionalText],
  eventsPort: ['WEFT_EVENTS_PORT', port(15_010)],
  eventsGrpcPort: ['WEFT_EVENTS_GRPC_PORT', port(15_011)],
  kafkaPort: ['WEFT_KAFKA_PORT', port(19_092)],
  adminPort: ['WEFT_ADMIN_PORT', port(15_020)],
  /** Requests and deliveries in flight get this long when the sidecar stops. */
  drainMs: ['WEFT_DRAIN_MS', durationMs(10_000)],
  /** redirect: rules of `weft capture` lead the app's connections here; where they were meant to go is asked of the kernel. */
  capture: ['WEFT_CAPTURE', choice('none', 'redirect')],
  /** Where events wait on the disk while the broker is away, for topics that ask for it. */
  spoolDir: ['WEFT_SPOOL_DIR', optionalText],
  portsFile: ['WEFT_PORTS_FILE', optionalText],
} as const

export type SidecarConfig = ConfigOf<typeof SHAPE>

/** Throws a ConfigError that lists every fault. */
export const sidecarConfig = (environment: NodeJS.ProcessEnv): SidecarConfig => readConfig(SHAPE, environment)
