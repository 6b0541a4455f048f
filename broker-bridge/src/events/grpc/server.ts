/** The event API over gRPC, for the local app alone: plain text on a loopback address, as over HTTP. */
import {
  type ChannelOptions,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type UntypedHandleCall,
} from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import { grpcDefinition } from '@weft/schemas/node/grpc-definition'
import type { Log } from '@weft/schemas/node/log'
import {
  type Delivery,
  type Event,
  Events,
  type PublishResult,
  type SubscribeRequest,
} from '@weft/schemas/proto'
import type { Listener } from '../../listener.ts'
import { MAX_BATCH_BYTES } from '../publish/head.ts'
import type { Streams } from '../streams/streams.ts'
import { publishBatch, publishMany, publishOne } from './publish.ts'
import { PublishStreamCall } from './publish-stream.ts'
import { Publisher, type PublisherContext } from './publisher.ts'
import { toStatus } from './status.ts'
import { SubscribeStreamCall } from './subscribe-stream.ts'

export interface GrpcEventsOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly context: PublisherContext
  readonly streams: Streams
  readonly log: Log
}

const LIMITS: ChannelOptions = {
  // A message is in memory as a whole; what an event may have is its topic's.
  'grpc.max_receive_message_length': MAX_BATCH_BYTES,
  'grpc.max_concurrent_streams': 1_024,
  // In megabytes: a connection whose peer does not read may not pile up more.
  'grpc-node.max_session_memory': 32,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.enable_channelz': 0,
}

/** A call that goes on until one side ends it. */
export interface LongCall {
  stop(error: MeshError): void
}

/** Rejects where the port cannot be bound. */
export async function startGrpcEvents({
  host,
  port,
  context,
  streams,
  log,
}: GrpcEventsOptions): Promise<Listener> {
  const publisher = new Publisher(context)
  const open = new Set<LongCall>()
  const whileOpen =
    <Request, Response>(begin: (call: ServerDuplexStream<Request, Response>) => LongCall) =>
    (call: ServerDuplexStream<Request, Response>): void => {
      try {
        const begun = begin(call)
        open.add(begun)
        call.once('close', () => open.delete(begun))
      } catch (error) {
        call.emit('error', toStatus(error, log))
      }
    }

  const server = new Server(LIMITS)
  const handlers: Record<keyof typeof Events.method, UntypedHandleCall> = {
    publish: publishOne(publisher, log),
    publishBatch: publishBatch(publisher, log),
    publishMany: publishMany(publisher, log),
    publishStream: whileOpen<Event, PublishResult>((call) => new PublishStreamCall(publisher, call, log)),
    subscribe: whileOpen<SubscribeRequest, Delivery>((call) => new SubscribeStreamCall(streams, call, log)),
  }
  server.addService(grpcDefinition(Events), handlers)
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, actual) =>
      error === null ? resolve(actual) : reject(error),
    )
  })

  return {
    port: bound,
    async drain(deadlineMs) {
      const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
      for (const call of open) call.stop(new MeshError('draining', 'the sidecar is stopping'))
      const deadline = setTimeout(() => server.forceShutdown(), deadlineMs)
      await closed
      clearTimeout(deadline)
    },
  }
}
