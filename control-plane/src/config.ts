import {
  type ConfigOf,
  durationMs,
  optionalText,
  port,
  type Reader,
  readConfig,
  text,
} from '@weft/schemas/node/config'

/** The loopback address: whoever wants the control plane elsewhere says so. */
const DEFAULT_HOST = '127.0.0.1'
const DEFAULT_GRPC_PORT = 15_012
const DEFAULT_HTTP_PORT = 15_014
const DEFAULT_TRUST_DOMAIN = 'weft.local'
/** As of the Mesh resource: no static secret, and the broker knows who calls. */
const DEFAULT_KAFKA_SECURITY = 'mtls'
/** Requests of the API end in milliseconds; what is open longer are streams of the dashboard. */
const DEFAULT_DRAIN_MS = 5000

const SHAPE = {
  stateDir: ['WEFT_STATE_DIR', text()],
  resourceFolders: ['WEFT_RESOURCES', separated(':')],
  trustDomain: ['WEFT_TRUST_DOMAIN', trustDomain(DEFAULT_TRUST_DOMAIN)],
  grpcHost: ['WEFT_GRPC_HOST', text(DEFAULT_HOST)],
  grpcPort: ['WEFT_GRPC_PORT', port(DEFAULT_GRPC_PORT)],
  httpHost: ['WEFT_HTTP_HOST', text(DEFAULT_HOST)],
  httpPort: ['WEFT_HTTP_PORT', port(DEFAULT_HTTP_PORT)],
  /** Names under which the HTTP port may be asked beside loopback's and its own host: behind 0.0.0.0 or a proxy. */
  httpAllowedHosts: ['WEFT_HTTP_ALLOWED_HOSTS', separated(',')],
  portsFile: ['WEFT_PORTS_FILE', optionalText],
  /** Optional: the cluster of this run, in place of what the Mesh resource says of Kafka. `weft up` sets it. */
  kafkaBootstrapServers: ['WEFT_KAFKA_BOOTSTRAP_SERVERS', bootstrapServers],
  kafkaSecurity: ['WEFT_KAFKA_SECURITY', kafkaSecurity],
  /** Optional: `user:password` for the schema registry that the Mesh resource names. */
  schemaRegistryUserInfo: ['WEFT_SCHEMA_REGISTRY_USER_INFO', optionalText],
  drainMs: ['WEFT_DRAIN_MS', durationMs(DEFAULT_DRAIN_MS)],
} as const

export type Config = ConfigOf<typeof SHAPE>

/** The settings of the control plane; throws a ConfigError that names every fault at once. */
export function readControlPlaneConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  return readConfig(SHAPE, environment)
}

function separated(separator: string): Reader<readonly string[]> {
  return (raw) => (raw ?? '').split(separator).filter((part) => part !== '')
}

function trustDomain(fallback: string): Reader<string> {
  return (raw = fallback) => {
    if (!/^[a-z0-9._-]{1,255}$/.test(raw))
      throw new Error('a trust domain: lower-case letters, digits, ".", "-", "_"')
    return raw
  }
}

function bootstrapServers(raw: string | undefined): readonly string[] | undefined {
  if (raw === undefined) return undefined
  const servers = raw.split(',').map((server) => server.trim())
  if (!servers.every((server) => /^(\[[0-9a-fA-F:.]+\]|[^:\s]+):\d{1,5}$/.test(server)))
    throw new Error('addresses as host:port, with commas between')
  return servers
}

function kafkaSecurity(raw: string = DEFAULT_KAFKA_SECURITY): 'mtls' | 'tls' | 'plaintext' {
  if (raw !== 'mtls' && raw !== 'tls' && raw !== 'plaintext') throw new Error('mtls, tls or plaintext')
  return raw
}
