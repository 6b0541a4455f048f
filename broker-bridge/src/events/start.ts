/**
 * The event API of one sidecar: what the local app publishes over HTTP or gRPC goes to Kafka, what it has subscribed to comes as HTTP
 * requests. Composed here, in the order of stopping.
 */
import type { Tracer } from '@opentelemetry/api'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import type { HttpService, ListenHttp } from '../http-service.ts'
import type { Listener } from '../listener.ts'
import { readBySchema } from './by-schema.ts'
import { startGrpcEvents } from './grpc/server.ts'
import { kafkaConnection } from './kafka-connection.ts'
import { Producer } from './produce/producer.ts'
import { Transactions } from './produce/transactions.ts'
import { ByteBudget } from './publish/byte-budget.ts'
import { Idempotency } from './publish/idempotency.ts'
import { PublishService } from './publish/service.ts'
import { Targets } from './publish/target.ts'
import { SpoolingProducer } from './spool/spooling-producer.ts'
import { Spools } from './spool/spools.ts'
import { startDelivery } from './start-delivery.ts'
import { SubscriptionService } from './streams/service.ts'

export interface EventsOptions {
  /** A loopback address: whoever reaches the port publishes under the workload's identity. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** That of the API over gRPC; 0: any free one. */
  readonly grpcPort: number
  readonly listen: ListenHttp
  /** Where events wait for a broker that is away, for the topics that ask for it. Undefined: nowhere. */
  readonly spoolDir: string | undefined
  /** Where the app listens on 127.0.0.1. Without it nothing is delivered to the paths of subscriptions. */
  readonly appPort: number | undefined
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
}

/** Bytes of events between their request and their answer, over all topics. Above it requests get 429 before they are read. */
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024

export interface EventsListener extends Listener {
  readonly grpcPort: number
}

/** Listens for publishers, and delivers to the app as soon as it accepts connections. Rejects where the port cannot be bound. */
export async function startEvents(options: EventsOptions): Promise<EventsListener> {
  const { snapshots, identity, metrics, log, tracer } = options
  const connection = () => {
    const { kafka } = snapshots.current().snapshot
    return kafka && kafkaConnection(kafka, identity)
  }
  const { serviceAccount } = identity.current().spiffeId
  const clientId = `weft-${serviceAccount}`
  const producer = new Producer({ clientId, snapshots, identity, log })
  const spools = await Spools.open({ folder: options.spoolDir, snapshots, producer, metrics, log })
  const transactions = new Transactions({ clientId, snapshots, identity, log })
  const publishing = {
    targets: new Targets({ snapshots, identity, metrics, log }),
    samplingRatio: () => snapshots.current().snapshot.samplingRatio,
    producer: new SpoolingProducer(producer, spools),
    idempotency: new Idempotency(),
    budget: new ByteBudget(MAX_BYTES_IN_FLIGHT),
    log,
    tracer,
  }
  const delivery = startDelivery({
    appPort: options.appPort,
    snapshots,
    identity,
    connection,
    clientId,
    deliver: {
      producer,
      identity: serviceAccount,
      decode: (record, { topic, format }) =>
        format === 'raw' ? record : readBySchema(snapshots.current().topicByName.get(topic)?.schema, record),
      samplingRatio: publishing.samplingRatio,
      metrics,
      log,
      tracer,
    },
  })
  const service = new PublishService(publishing, transactions, options.host)
  const { host } = options
  const takers = new SubscriptionService({ streams: delivery.streams, budget: publishing.budget, host })
  const routes: HttpService = {
    call: (request, answer) => (SubscriptionService.isFor(request) ? takers : service).call(request, answer),
  }
  const [server, grpc] = await Promise.all([
    options.listen({ host, port: options.port, service: routes }),
    startGrpcEvents({ host, port: options.grpcPort, context: publishing, streams: delivery.streams, log }),
  ])

  return {
    port: server.port,
    grpcPort: grpc.port,
    async drain(deadlineMs) {
      const end = Date.now() + deadlineMs
      const left = () => Math.max(0, end - Date.now())
      // The app may publish while it deals with its last events: the way in stays open until they are done.
      await delivery.stop(left())
      takers.drain()
      await Promise.all([service.drain(left()), grpc.drain(left())])
      await server.drain(left())
      // After the last publisher and the last dead letter.
      await producer.close(left())
      transactions.close()
      // What the producer could not deliver has gone there.
      await spools.close()
      delivery.close()
    },
  }
}
