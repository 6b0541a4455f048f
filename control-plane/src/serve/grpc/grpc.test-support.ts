import { createSecureContext, type SecureContext } from 'node:tls'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Client, type ClientDuplexStream, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import { grpcDefinition } from '@weft/schemas/node/grpc-definition'
import type { Log } from '@weft/schemas/node/log'
import {
  Certificates,
  ConfigStream,
  type Edge,
  type SidecarMessage,
  SidecarMessageSchema,
  SignRequestSchema,
  type SignResponse,
  type Update,
} from '@weft/schemas/proto'
import type { Snapshot } from '@weft/schemas/snapshot'
import { type SpiffeId, spiffeId } from '@weft/schemas/spiffe'
import { openAuthority, quietLog, TRUST_DOMAIN, temporaryFolder } from '../ca/ca.test-support.ts'
import { type CertificateAuthority, type JoinTokens, openJoinTokens } from '../ca/index.ts'
import { type GrpcOptions, type GrpcServer, type SnapshotProvider, startGrpc } from './index.ts'

export const ORDERS: SpiffeId = spiffeId(TRUST_DOMAIN, 'default', 'order-service')

/** A provider whose snapshots a test sets: the same content for everybody, under the identity that asks. */
class TestProvider implements SnapshotProvider {
  readonly #listeners = new Set<() => void>()
  content: Partial<Snapshot> = {}
  version = 1

  change(content: Partial<Snapshot>, version: number = this.version + 1): void {
    this.content = content
    this.version = version
    for (const listener of this.#listeners) listener()
  }

  snapshotFor(identity: SpiffeId, _workload: string): Snapshot {
    return {
      version: this.version,
      trustDomain: identity.trustDomain,
      workload: { identity: identity.uri, namespace: identity.namespace },
      defaultAction: 'deny',
      samplingRatio: 0,
      services: [],
      policies: [],
      jwtProviders: [],
      topics: [],
      subscriptions: [],
      ...this.content,
    }
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

export interface TestControlPlane extends AsyncDisposable {
  readonly stateDir: string
  readonly authority: CertificateAuthority
  readonly tokens: JoinTokens
  readonly provider: TestProvider
  readonly reports: { readonly identity: SpiffeId; readonly workload: string; readonly edges: Edge[] }[]
  readonly grpc: GrpcServer
  readonly address: string
  /** Stops the server and starts it again on the same port and state. */
  restart(between?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

/** A real control plane's gRPC part on a free port with state of its own. */
export async function startControlPlane(
  options: Partial<GrpcOptions> = {},
  log: Log = quietLog(),
): Promise<TestControlPlane> {
  const folder = await temporaryFolder()
  const authority = options.authority ?? (await openAuthority(folder.path))
  const tokens = await openJoinTokens({ stateDir: folder.path, authority })
  const provider = new TestProvider()
  const reports: { identity: SpiffeId; workload: string; edges: Edge[] }[] = []
  const start = (port: number) =>
    startGrpc({
      host: '127.0.0.1',
      port,
      authority,
      tokens,
      snapshots: provider,
      onReport: (identity, workload, edges) => reports.push({ identity, workload, edges }),
      log,
      ...options,
    })
  let grpc = await start(0)
  const { port } = grpc
  return {
    stateDir: folder.path,
    authority,
    tokens,
    provider,
    reports,
    address: `127.0.0.1:${port}`,
    get grpc() {
      return grpc
    },
    restart: async (between) => {
      await grpc.drain(1000)
      await between?.()
      grpc = await start(port)
    },
    stop: () => grpc.drain(1000),
    [Symbol.asyncDispose]: async () => {
      await grpc.drain(0)
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** TLS of a client that trusts this control plane: without a certificate, or with one that `issuer` makes. */
export async function clientContext(
  trusted: CertificateAuthority,
  who?: { readonly id: SpiffeId; readonly issuer?: CertificateAuthority; readonly ttlSeconds?: number },
): Promise<SecureContext> {
  const base = { ca: trusted.rootPem, minVersion: 'TLSv1.3' as const }
  if (who === undefined) return createSecureContext(base)
  const { id, issuer = trusted, ttlSeconds = 60 } = who
  const pair = await issuer.issueWithKey({ spiffeId: id, ttlSeconds })
  return createSecureContext({ ...base, cert: pair.certificatePem, key: pair.privateKeyPem })
}

/** A plain gRPC client, closed with its scope. */
export function openClient(
  address: string,
  context: SecureContext,
): Disposable & { readonly client: Client } {
  const channel = credentials.createFromSecureContext(context, { checkServerIdentity: () => undefined })
  const client = new Client(address, channel, {
    'grpc.ssl_target_name_override': 'localhost',
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    'grpc.max_receive_message_length': 64 * 1024 * 1024,
  })
  return { client, [Symbol.dispose]: () => client.close() }
}

const CERTIFICATES = grpcDefinition(Certificates)
const CONFIG = grpcDefinition(ConfigStream)

/** Calls Sign; rejects with grpc-js's ServiceError. */
export function callSign(
  client: Client,
  init: MessageInitShape<typeof SignRequestSchema>,
  metadata = new Metadata(),
): Promise<SignResponse> {
  const { path, requestSerialize, responseDeserialize } = CERTIFICATES.sign
  const request = create(SignRequestSchema, init)
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      (error, response) => {
        if (response === undefined || error !== null) reject(error ?? new Error('no answer'))
        else resolve(response)
      },
    )
  })
}

type Call = ClientDuplexStream<SidecarMessage, Update>
export type TestMessage = NonNullable<MessageInitShape<typeof SidecarMessageSchema>['message']>
export interface TestStream {
  readonly call: Call
  readonly updates: Update[]
  readonly status: Promise<StatusObject>
  send(message: TestMessage): void
  /** Resolves when so many updates are there. */
  received(count: number): Promise<void>
}

export const hello = (workload = 'orders-1') => ({ case: 'hello', value: { workload } }) as const

export function openStream(client: Client): TestStream {
  const { path, requestSerialize, responseDeserialize } = CONFIG.stream
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  const updates: Update[] = []
  const status = new Promise<StatusObject>((resolve) => call.once('status', resolve))
  call.on('error', () => undefined)
  call.on('data', (update: Update) => {
    updates.push(update)
    call.emit('taken')
  })
  const received = async (count: number): Promise<void> => {
    while (updates.length < count) await new Promise((resolve) => call.once('taken', resolve))
  }
  return {
    call,
    updates,
    status,
    received,
    send: (message) => call.write(create(SidecarMessageSchema, { message })),
  }
}
