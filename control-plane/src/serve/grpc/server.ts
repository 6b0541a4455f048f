import { type ChannelOptions, Server, ServerCredentials } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import { grpcDefinition } from '@weft/schemas/node/grpc-definition'
import type { Log } from '@weft/schemas/node/log'
import { Certificates, ConfigStream } from '@weft/schemas/proto'
import type { CertificateAuthority, JoinTokens } from '../ca/index.ts'
import { signHandler } from './certificates.ts'
import { createConfigStreams } from './config-stream.ts'
import { createSidecarRegistry, type SidecarRegistry } from './sidecar-registry.ts'
import type { OnReport, SnapshotProvider } from './sidecar-stream.ts'
import { startTlsPort } from './tls-port.ts'

export interface GrpcOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  readonly authority: CertificateAuthority
  readonly tokens: JoinTokens
  readonly snapshots: SnapshotProvider
  readonly onReport: OnReport
  readonly log: Log
  /** Lifetime of the certificates of workloads and of the control plane itself; default one hour. */
  readonly certificateTtlSeconds?: number
  /** A peer has this long for the TLS handshake, and as long again for its Hello; default 5 s. */
  readonly handshakeTimeoutMs?: number
}

export interface GrpcServer {
  readonly port: number
  readonly registry: SidecarRegistry
  /** Stops accepting, ends the streams, lets signing under way finish until the deadline, then closes everything. */
  drain(deadlineMs: number): Promise<void>
}

/** DESIGN.md, identity: short enough that no list of revoked certificates is needed. */
const DEFAULT_TTL_SECONDS = 3600
const DEFAULT_HANDSHAKE_TIMEOUT_MS = 5_000

const LIMITS: ChannelOptions = {
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
  // A snapshot is as large as the mesh; a sidecar has its own bound.
  'grpc.max_send_message_length': -1,
  // A sidecar uses one or two.
  'grpc.max_concurrent_streams': 16,
  // In megabytes: a connection whose peer does not read may not pile up more streams on top of its snapshot.
  'grpc-node.max_session_memory': 16,
  // A peer that is gone without a word (host lost, network cut) is noticed within 15 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // Who has shaken hands and then asks for nothing does not keep a connection.
  'grpc.max_connection_idle_ms': 60_000,
  'grpc.enable_channelz': 0,
}

/** The gRPC port: certificates and the config stream. Throws where the port cannot be bound. */
export async function startGrpc(options: GrpcOptions): Promise<GrpcServer> {
  const { log, authority } = options
  const ttlSeconds = options.certificateTtlSeconds ?? DEFAULT_TTL_SECONDS
  const handshakeTimeoutMs = options.handshakeTimeoutMs ?? DEFAULT_HANDSHAKE_TIMEOUT_MS
  const registry = createSidecarRegistry(log)
  const streams = createConfigStreams({ ...options, registry, helloTimeoutMs: handshakeTimeoutMs })

  const server = new Server(LIMITS)
  server.addService(grpcDefinition(Certificates), {
    sign: signHandler({ authority, tokens: options.tokens, ttlSeconds, log }),
  })
  server.addService(grpcDefinition(ConfigStream), { stream: streams.handler })
  // Insecure for grpc-js only: what is injected has ended its TLS in the port below.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const port = await startTlsPort({
    host: options.host,
    port: options.port,
    authority,
    ttlSeconds,
    handshakeTimeoutMs,
    log,
    accept: (socket) => injector.injectConnection(socket),
  })

  return {
    port: port.port,
    registry,
    drain: async (deadlineMs) => {
      const closed = port.close()
      streams.stop(new MeshError('unavailable', 'the control plane is stopping: connect again'))
      injector.drain(deadlineMs)
      const deadline = setTimeout(() => port.destroyConnections(), deadlineMs)
      await closed
      clearTimeout(deadline)
      injector.destroy()
    },
  }
}
