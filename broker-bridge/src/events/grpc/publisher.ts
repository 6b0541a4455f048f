/** One event of a call on its way to the broker; by the rules of HTTP (publish.ts): topic, policy, form, size, then the broker. */
import { create } from '@bufbuild/protobuf'
import { MeshError } from '@weft/schemas/error'
import { type Event, type Published, PublishedSchema } from '@weft/schemas/proto'
import { bySchema } from '../by-schema.ts'
import { recordBytes } from '../produce/record.ts'
import { checkRecordSize } from '../publish/head.ts'
import type { OutgoingEvent } from '../publish/outgoing.ts'
import { type PublishContext, startSendSpan } from '../publish/publish.ts'
import type { Target } from '../publish/target.ts'
import type { EventSpan } from '../spans.ts'
import { outgoingEvent } from './outgoing.ts'

export type PublisherContext = Omit<PublishContext, 'onDone' | 'idempotency'>

/** What holds for every event of a call. */
export interface CallSettings {
  /** As the metadata say; events may have their own. */
  readonly traceparent: string | undefined
  /** How long the broker may take. */
  readonly timeoutMs: number
}

/** An event that may be sent: `bytes` of the budget are held for it, until it is sent and settled, or discarded. */
export interface Prepared extends OutgoingEvent {
  readonly target: Target
  readonly span: EventSpan
  readonly bytes: number
}

export type OnOutcome = (outcome: Published | MeshError) => void

export class Publisher {
  readonly #context: PublisherContext

  constructor(context: PublisherContext) {
    this.#context = context
  }

  /** Everything that can be said before the broker is asked. Throws MeshError. `which` names the event in messages. */
  prepare(event: Event, call: CallSettings, which: string): Prepared {
    const { targets, budget } = this.#context
    const { topic } = event
    const span = startSendSpan(this.#context, event.traceparent || call.traceparent, topic)
    span.set({ 'messaging.message.body.size': event.data?.length ?? 0 })
    try {
      const target = targets.permitted(topic, span)
      const { id, record: sent } = outgoingEvent(event, span.traceparent)
      const record = bySchema(target.topic, sent, which)
      const bytes = recordBytes(record)
      checkRecordSize(bytes, which, target.topic)
      if (!budget.take(bytes))
        throw new MeshError('event_buffer_full', 'too many bytes of events are in flight')
      span.set({ 'messaging.message.id': id })
      return { id, record, target, span, bytes }
    } catch (thrown) {
      const error = MeshError.from(thrown)
      span.end(error.message)
      throw error
    }
  }

  /** `onOutcome` runs once: the broker has acknowledged the event, it is on the disk, or neither. */
  send(prepared: Prepared, timeoutMs: number, onOutcome: OnOutcome): void {
    const startedAt = performance.now()
    const { id, record, target, span } = prepared
    const topic = target.topic.name
    const settle = (outcome: Published | MeshError, stored: 0 | 1): void => {
      const error = outcome instanceof MeshError ? outcome : undefined
      if (error?.code === 'internal') this.#context.log.error({ error }, 'publishing failed')
      const seconds = (performance.now() - startedAt) / 1000
      const bytes = record.value?.length ?? 0
      target.tally.count({ stored, failed: error === undefined ? 0 : 1, bytes, seconds })
      this.discard(prepared, error)
      onOutcome(outcome)
    }
    const sink = {
      onStored(partition: number, offset: bigint): void {
        span.set({
          'messaging.destination.partition.id': String(partition),
          'messaging.kafka.offset': Number(offset),
        })
        settle(create(PublishedSchema, { topic, partition, offset, id }), 1)
      },
      onSpooled: () => settle(create(PublishedSchema, { topic, id, spooled: true }), 0),
      onFailed: (error: MeshError) => settle(error, 0),
    }
    this.#context.producer.send(topic, record, { timeoutMs, sink })
  }

  /** Gives back what is held for an event. */
  discard({ bytes, span }: Prepared, error: MeshError | undefined): void {
    this.#context.budget.give(bytes)
    span.end(error?.message)
  }
}
