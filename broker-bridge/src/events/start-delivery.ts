/** What brings records to the app: at the paths of its subscriptions, and to the streams that it opens for the others. */
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { SnapshotSource, SubscriptionEntry } from '@weft/schemas/snapshot'
import { AppGate } from './deliver/app-gate.ts'
import { AppReceiver } from './deliver/app-receiver.ts'
import type { DeliverContext } from './deliver/deliver.ts'
import { AppClient } from './deliver/post.ts'
import type { KafkaConnection } from './kafka-connection.ts'
import { Streams } from './streams/streams.ts'
import { refusalOf } from './subscribe/may-consume.ts'
import { type Attendance, Subscriptions } from './subscribe/subscriptions.ts'

export interface DeliveryOptions {
  readonly appPort: number | undefined
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly connection: () => KafkaConnection | undefined
  readonly clientId: string
  readonly deliver: Omit<DeliverContext, 'receiver'>
}

export interface Deliveries {
  readonly streams: Streams
  /** Lets attempts under way end; nothing is delivered any more. */
  stop(deadlineMs: number): Promise<void>
  close(): void
}

export function startDelivery({ appPort, ...options }: DeliveryOptions): Deliveries {
  const { snapshots, identity, deliver } = options
  const client = new AppClient()
  const gate = appPort === undefined ? undefined : new AppGate(appPort)
  const app = gate === undefined || appPort === undefined ? undefined : new AppReceiver(gate, client, appPort)
  const streams = new Streams({ snapshots, refusalOf: (now, entry) => refusalOf(identity, now, entry) })
  if (app === undefined && snapshots.current().snapshot.subscriptions.some(({ path }) => path !== undefined))
    deliver.log.warn('the workload has subscriptions and no app port: nothing is delivered to their paths')

  const attendanceOf = ({ name, path }: SubscriptionEntry): Attendance | undefined => {
    if (path !== undefined) return app && { receiver: app, mayJoin: app.gate.isOpen, mayStay: true }
    const receiver = streams.receiver(name)
    return { receiver, mayJoin: receiver.isAttended, mayStay: receiver.isAttended }
  }
  const subscriptions = new Subscriptions({
    ...options,
    attendanceOf,
    onAttendance: [
      (listener) => streams.onChange(listener),
      ...(gate === undefined ? [] : [(listener: () => void) => gate.onOpen(listener)]),
    ],
  })
  return {
    streams,
    stop: (deadlineMs) => subscriptions.stop(deadlineMs),
    close() {
      streams.close()
      gate?.close()
      client.close()
    },
  }
}
