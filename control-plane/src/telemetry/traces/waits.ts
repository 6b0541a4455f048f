import type { Span } from '../otlp/draft.ts'
import type { WaitJson } from '../types.ts'
import { toMs, topicOf } from './fields.ts'

/**
 * How long each event lay in its topic: for each consumer span whose parent, or else whose first link inside this
 * trace, is a producer span. A delivery that is tried again is a consumer span of its own and has a wait of its own.
 */
export function waitsOf(spans: readonly Span[], byId: ReadonlyMap<string, Span>): readonly WaitJson[] {
  return spans.flatMap((consumer) => {
    const producer = consumer.kind === 'consumer' ? producerOf(consumer, byId) : undefined
    return producer === undefined ? [] : [wait(producer, consumer)]
  })
}

function producerOf(consumer: Span, byId: ReadonlyMap<string, Span>): Span | undefined {
  const linked = consumer.links.filter((link) => link.traceId === consumer.traceId).map((link) => link.spanId)
  const candidates = consumer.parentSpanId === undefined ? linked : [consumer.parentSpanId, ...linked]
  return candidates.map((spanId) => byId.get(spanId)).find((span) => span?.kind === 'producer')
}

function wait(producer: Span, consumer: Span): WaitJson {
  // A fast consumer starts before the producer has seen the broker's acknowledgement: it did not wait at all.
  const end = consumer.startTimeUnixNano
  const start = producer.endTimeUnixNano < end ? producer.endTimeUnixNano : end
  return {
    topic: topicOf(consumer) ?? topicOf(producer) ?? '',
    fromSpanId: producer.spanId,
    toSpanId: consumer.spanId,
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(end),
    waitMs: toMs(end - start),
    ...(end < producer.startTimeUnixNano && { clockSkew: true }),
  }
}
