/**
 * The event API of one sidecar: what the local app publishes over HTTP goes to Kafka, what it has subscribed to comes as HTTP
 * requests. Composed here, in the order of stopping.
 */
import type { Tracer } from '@opentelemetry/api'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SnapshotSource } from '@weft/schemas/snapshot'
import type { ListenHttp } from '../http-service.ts'
import type { Listener } from '../listener.ts'
import { AppGate } from './deliver/app-gate.ts'
import { AppClient } from './deliver/post.ts'
import { kafkaConnection } from './kafka-connection.ts'
import { Producer } from './produce/producer.ts'
import { Transactions } from './produce/transactions.ts'
import { ByteBudget } from './publish/byte-budget.ts'
import { Idempotency } from './publish/idempotency.ts'
import { PublishService } from './publish/service.ts'
import { Targets } from './publish/target.ts'
import { SpoolingProducer } from './spool/spooling-producer.ts'
import { Spools } from './spool/spools.ts'
import { Subscriptions } from './subscribe/subscriptions.ts'

export interface EventsOptions {
  /** A loopback address: whoever reaches the port publishes under the workload's identity. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly listen: ListenHttp
  /** Where events wait for a broker that is away, for the topics that ask for it. Undefined: nowhere. */
  readonly spoolDir: string | undefined
  /** Where the app listens on 127.0.0.1. Without it subscriptions are not served. */
  readonly appPort: number | undefined
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
}

/** Bytes of events between their request and their answer, over all topics. Above it requests get 429 before they are read. */
const MAX_BYTES_IN_FLIGHT = 64 * 1024 * 1024

/** Listens for publishers, and delivers to the app as soon as it accepts connections. Rejects where the port cannot be bound. */
export async function startEvents(options: EventsOptions): Promise<Listener> {
  const { snapshots, identity, metrics, log, tracer, appPort } = options
  const connection = () => {
    const { kafka } = snapshots.current().snapshot
    return kafka && kafkaConnection(kafka, identity)
  }
  const { serviceAccount } = identity.current().spiffeId
  const clientId = `weft-${serviceAccount}`
  const producer = new Producer({ clientId, snapshots, identity, log })
  const spools = await Spools.open({ folder: options.spoolDir, snapshots, producer, metrics, log })
  const transactions = new Transactions({ clientId, connection, identity, log })
  const service = new PublishService(
    {
      targets: new Targets({ snapshots, identity, metrics, log }),
      samplingRatio: () => snapshots.current().snapshot.samplingRatio,
      producer: new SpoolingProducer(producer, spools),
      idempotency: new Idempotency(),
      budget: new ByteBudget(MAX_BYTES_IN_FLIGHT),
      log,
      tracer,
    },
    transactions,
    options.host,
  )
  const server = await options.listen({ host: options.host, port: options.port, service })

  if (appPort === undefined && snapshots.current().snapshot.subscriptions.length > 0)
    log.warn('the workload has subscriptions and no app port: nothing is delivered')
  const delivery = appPort === undefined ? undefined : startDelivery(appPort)

  function startDelivery(port: number) {
    const gate = new AppGate(port)
    const client = new AppClient()
    const deliver = {
      appPort: port,
      gate,
      client,
      producer,
      identity: serviceAccount,
      samplingRatio: () => snapshots.current().snapshot.samplingRatio,
      metrics,
      log,
      tracer,
    }
    const subscriptions = new Subscriptions({
      snapshots,
      identity,
      connection,
      clientId,
      deliver,
      metrics,
      log,
    })
    return { gate, client, subscriptions }
  }

  return {
    port: server.port,
    async drain(deadlineMs) {
      const end = Date.now() + deadlineMs
      const left = () => Math.max(0, end - Date.now())
      // The app may publish while it deals with its last events: the way in stays open until they are done.
      await delivery?.subscriptions.stop(left())
      await service.drain(left())
      await server.drain(left())
      // After the last publisher and the last dead letter.
      await Promise.all([producer.close(left()), transactions.close()])
      // What the producer could not deliver has gone there.
      await spools.close()
      delivery?.gate.close()
      delivery?.client.close()
    },
  }
}
