/**
 * One publish request, in this order: the topic, the policy, the size limit while the body is read, the event's form, and last
 * the broker. The answer is given when the broker has acknowledged, never before.
 * A topic that nobody defined is 404 also to whoever could not write to it: a mistyped name should say so, and which topics there
 * are is no secret of the sidecar's before its own app (/config shows them). Kafka clients get Kafka's answer, which hides it.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { SpanKind, type Tracer } from '@opentelemetry/api'
import { type AnyEvent, fromHttp, type HeaderField, toKafka } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import { decide, subjectOf } from '@weft/schemas/policy'
import type { IndexedSnapshot, SnapshotSource } from '@weft/schemas/snapshot'
import { parseTraceparent } from '@weft/schemas/trace-context'
import { type EventSpan, startSpan } from '../spans.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Publisher } from './publisher.ts'
import { readBody } from './read-body.ts'
import { type OutgoingRecord, recordBytes } from './record.ts'

export interface PublishContext {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly publisher: Publisher
  readonly budget: ByteBudget
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
}

/** What a publisher is told: where the broker has put the event. `offset` is a text: it does not fit a double. */
export interface PublishAnswer {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly id: string
}

/** How long the broker may take to acknowledge, unless `weft-timeout-ms` says otherwise. */
const DEFAULT_TIMEOUT_MS = 10_000
const MAX_TIMEOUT_MS = 60_000

export async function publish(
  context: PublishContext,
  request: IncomingMessage,
  target: { readonly topic: string; readonly span: EventSpan },
): Promise<PublishAnswer> {
  const { topic, span } = target
  const started = performance.now()
  const snapshot = context.snapshots.current()
  const entry = snapshot.topicByName.get(topic)
  if (entry === undefined)
    throw new MeshError('unknown_topic', `no Topic resource is called ${JSON.stringify(topic)}`, {
      target: topic,
    })
  authorize(context, snapshot, target)

  const coding = single(request.headers['content-encoding'])
  // A record has no place for it: a consumer would get bytes that it cannot read.
  if (coding !== undefined && coding !== 'identity')
    throw new MeshError(
      'unsupported_media_type',
      `expected a body without Content-Encoding, came ${JSON.stringify(coding.slice(0, 40))}`,
    )
  const body = await readBody(request, { topic, maxBytes: entry.maxMessageBytes, budget: context.budget })
  const count = counters(context, topic)
  try {
    const { id, record } = toRecord(request, body.bytes, span)
    const bytes = recordBytes(record)
    if (bytes > entry.maxMessageBytes + RECORD_ALLOWANCE)
      throw new MeshError(
        'event_too_large',
        `topic ${topic} takes records up to ${entry.maxMessageBytes} bytes, this one has ${bytes} with key and headers`,
        { target: topic },
      )
    span.set({ 'messaging.message.id': id, 'messaging.message.body.size': body.bytes.length })
    const { partition, offset } = await context.publisher.publish(topic, record, timeoutOf(request))
    span.set({
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': Number(offset),
    })
    count('ok', body.bytes.length)
    context.metrics
      .histogram('weft_event_publish_duration_seconds')
      .observe({ topic }, (performance.now() - started) / 1000)
    return { topic, partition, offset: String(offset), id }
  } catch (error) {
    count('failed', 0)
    throw error
  } finally {
    body.release()
  }
}

/** The span of one request; `send <topic>` as the semantic conventions say. */
export function startPublishSpan(
  context: PublishContext,
  request: IncomingMessage,
  topic: string,
): EventSpan {
  return startSpan(context.tracer, {
    name: `send ${topic}`,
    kind: SpanKind.PRODUCER,
    parent: parseTraceparent(single(request.headers.traceparent)),
    samplingRatio: context.snapshots.current().snapshot.samplingRatio,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
    },
  })
}

function authorize(
  context: PublishContext,
  snapshot: IndexedSnapshot,
  { topic, span }: { readonly topic: string; readonly span: EventSpan },
): void {
  const { spiffeId } = context.identity.current()
  const decision = decide(snapshot.policies, subjectOf(spiffeId), {
    protocol: 'kafka',
    resource: 'topic',
    name: topic,
    operation: 'produce',
  })
  const source = spiffeId.serviceAccount
  const refused = (policy: string, mode: 'enforce' | 'audit') => {
    const { traceId } = span.context
    const { reason } = decision
    context.log.warn(
      { identity: spiffeId.uri, action: 'produce', target: topic, policy, reason, mode, traceId },
      'refused by policy',
    )
    context.metrics
      .counter('weft_policy_refused_total')
      .inc({ protocol: 'kafka', source, target: topic, policy, mode })
  }
  if (decision.audited !== undefined) refused(decision.audited, 'audit')
  if (decision.allowed) return
  refused(decision.policy ?? '-', 'enforce')
  context.metrics.counter('weft_kafka_records_total').inc({
    operation: 'produce',
    mode: 'api',
    identity: source,
    topic,
    group: '-',
    outcome: 'refused',
  })
  span.set({ 'weft.policy': decision.policy ?? '-' })
  throw new MeshError('permission_denied', decision.explanation, {
    identity: spiffeId.uri,
    target: topic,
    ...(decision.policy !== undefined && { policy: decision.policy }),
  })
}

/** What the sidecar's own headers take: nobody's event is refused for them. */
const RECORD_ALLOWANCE = 1_024

function toRecord(
  request: IncomingMessage,
  body: Buffer,
  span: EventSpan,
): { readonly id: string; readonly record: OutgoingRecord } {
  const incoming = fromHttp(request.headers, body)
  const { headers, value } = toKafka(incoming.event)
  const id = idOf(incoming.event)
  const fields: HeaderField[] = [...headers, ...incoming.headers]
  if (incoming.event.kind === 'raw') fields.push(['weft-id', Buffer.from(id)])
  fields.push(['traceparent', Buffer.from(span.traceparent)])
  for (const name of ['tracestate', 'baggage']) {
    const passed = single(request.headers[name])
    if (passed !== undefined) fields.push([name, Buffer.from(passed, 'latin1')])
  }
  return { id, record: { ...(incoming.key !== undefined && { key: incoming.key }), value, headers: fields } }
}

const idOf = (event: AnyEvent): string => (event.kind === 'cloudevent' ? event.attributes.id : randomUUID())

function timeoutOf(request: IncomingMessage): number {
  const raw = single(request.headers['weft-timeout-ms'])
  if (raw === undefined) return DEFAULT_TIMEOUT_MS
  const value = /^\d{1,6}$/.test(raw) ? Number(raw) : 0
  if (value >= 1 && value <= MAX_TIMEOUT_MS) return value
  throw new MeshError(
    'invalid_event',
    `weft-timeout-ms: expected milliseconds from 1 to ${MAX_TIMEOUT_MS}, came ${JSON.stringify(raw.slice(0, 20))}`,
  )
}

function counters(context: PublishContext, topic: string): (outcome: 'ok' | 'failed', bytes: number) => void {
  const identity = context.identity.current().spiffeId.serviceAccount
  return (outcome, bytes) => {
    const labels = { operation: 'produce', mode: 'api', identity, topic }
    context.metrics.counter('weft_kafka_records_total').inc({ ...labels, group: '-', outcome })
    if (bytes > 0) context.metrics.counter('weft_kafka_bytes_total').inc(labels, bytes)
  }
}

const single = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value
