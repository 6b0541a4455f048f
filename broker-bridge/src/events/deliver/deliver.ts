/**
 * One record to who receives it: attempts with backoff, then attempts that come later, then the dead letter. It is acknowledged by the app's
 * 2xx, or by the broker's acknowledgement of where it is kept instead; nothing else. Every wait ends when the partition is lost: no retry outlives ownership.
 */
import { SpanKind, type Tracer } from '@opentelemetry/api'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SubscriptionEntry } from '@weft/schemas/snapshot'
import { UnreadableError } from '../../schema/unreadable.ts'
import type { Producer } from '../produce/producer.ts'
import { type EventSpan, startSpan } from '../spans.ts'
import { backoffMs, retryAfterMs } from './backoff.ts'
import { type Answer, classify, describe, isUnknownAction } from './classify.ts'
import { toDeadLetter } from './dead-letter.ts'
import { isWanted } from './filter.ts'
import { type DeliverHooks, type DeliverSignals, handOn, pause } from './hand-on.ts'
import type { Attempt, Receiver } from './receiver.ts'
import { type ReadRecord, traceOf } from './record.ts'
import { fromRetryLater, toRetryLater } from './retry-later.ts'

export interface DeliverContext {
  readonly receiver: Receiver
  readonly producer: Producer
  /** The service account whose sidecar this is, for metrics. */
  readonly identity: string
  readonly samplingRatio: () => number
  /** The record as the app gets it. Throws UnreadableError where its value cannot be read. */
  readonly decode: (record: ReadRecord, settings: SubscriptionEntry) => ReadRecord
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
}

/** Which topic of the subscription a record was read from. */
export interface Stage {
  /** The topic itself: in the others a record says where it came from. */
  readonly isFirst: boolean
  /** How many of its retry topics the record has been in, this one among them. */
  readonly retries: number
  /** How long it waits here. */
  readonly delayMs: number
}

/** `given-up`: neither acknowledged nor written elsewhere; it will be delivered again by whoever owns the partition next. */
export type Outcome = 'acknowledged' | 'given-up'

export async function deliver(
  context: DeliverContext,
  { entry, stage }: { readonly entry: () => SubscriptionEntry; readonly stage: Stage },
  read: ReadRecord,
  control: DeliverSignals & DeliverHooks,
): Promise<Outcome> {
  // What has been wanted once is, from whichever topic it comes later.
  if (stage.isFirst && !isWanted(entry().filter, read)) {
    count(context, entry(), read, 'filtered')
    return 'acknowledged'
  }
  const dueInMs = stage.delayMs === 0 ? 0 : Number(read.timestamp) + stage.delayMs - Date.now()
  if (dueInMs > 0 && !(await pause(dueInMs, control))) return 'given-up'
  const { record, history } = stage.isFirst ? { record: read, history: undefined } : fromRetryLater(read)
  if (history?.isDropped === true) return 'acknowledged'
  const span = startProcessSpan(context, entry(), record)
  const firstAttempt = history?.firstAttempt ?? new Date()
  const attemptsBefore = history?.attempts ?? 0
  let failure = ''
  for (let tries = 1; ; ) {
    const attempt = attemptsBefore + tries
    const settings = entry()
    if (!(await mayAttempt(context, control))) return end(span, 'given-up')
    const { traceparent } = span
    const answer = await attemptOnce(context, { record, settings, attempt, traceparent }, control.lost)
    const verdict = classify(answer)
    warnOfUnknownAction(context, settings, answer)
    if (verdict === 'acknowledged' || verdict === 'dropped') {
      count(context, settings, record, verdict === 'dropped' ? 'dropped' : 'ok')
      if (verdict === 'dropped') span.event('dropped', { 'weft.attempt': attempt })
      return end(span, 'acknowledged')
    }
    if (verdict === 'aborted') return end(span, 'given-up')
    if (verdict === 'app-down') {
      context.receiver.gate.shut()
      continue
    }
    failure = describe(answer)
    span.event('attempt failed', { 'weft.attempt': attempt, 'weft.error': failure })
    // Having waited is what a later attempt is about: it is one.
    if (verdict === 'poison' || tries > (stage.retries === 0 ? settings.retry.attempts : 0)) {
      const failed = { verdict, error: failure, attempts: attempt, firstAttempt }
      return end(
        span,
        await giveUp(context, { settings, record, retries: stage.retries }, failed, control),
        failure,
      )
    }
    const waited = await pause(backoffMs(settings.retry, tries, askedMs(answer)), control)
    if (!waited) return end(span, 'given-up', failure)
    tries++
  }
}

function warnOfUnknownAction({ log }: DeliverContext, settings: SubscriptionEntry, answer: Answer): void {
  if (answer.kind !== 'status' || !isUnknownAction(answer.action)) return
  log.warn(
    { subscription: settings.name, group: settings.group, action: answer.action },
    'expected weft-action to be retry, drop or dead-letter: the status decides',
  )
}

function mayAttempt({ receiver }: DeliverContext, { ending, lost }: DeliverSignals): Promise<boolean> {
  return receiver.gate.whenOpen([ending, lost])
}

function askedMs(answer: Answer): number | undefined {
  if (answer.kind === 'settled') return answer.retryAfterMs
  return answer.kind === 'status' ? retryAfterMs(answer.retryAfter, Date.now()) : undefined
}

async function attemptOnce(context: DeliverContext, attempt: Attempt, lost: AbortSignal): Promise<Answer> {
  const { record, settings } = attempt
  const started = performance.now()
  const answer = await take(context, attempt, lost)
  const outcome = answer.kind === 'status' || answer.kind === 'settled' ? classify(answer) : answer.kind
  context.metrics
    .histogram('weft_event_delivery_duration_seconds')
    .observe({ topic: record.topic, group: settings.group, outcome }, (performance.now() - started) / 1000)
  return answer
}

interface GivenUp {
  readonly verdict: 'poison' | 'retry'
  readonly error: string
  readonly attempts: number
  readonly firstAttempt: Date
}

/** What cannot be read is decided without the app. */
function take(
  { receiver, decode }: DeliverContext,
  attempt: Attempt,
  lost: AbortSignal,
): Promise<Answer> | Answer {
  try {
    const record = decode(attempt.record, attempt.settings)
    return receiver.take(record === attempt.record ? attempt : { ...attempt, record }, lost)
  } catch (error) {
    if (!(error instanceof UnreadableError)) throw error
    const { message, isUnknown } = error
    return { kind: 'unreadable', message: `the value ${message}`, isFinal: !isUnknown }
  }
}

/** To wait for a later attempt, where there is one and it could help; else into the dead letter. */
async function giveUp(
  context: DeliverContext,
  { settings, record, retries }: { settings: SubscriptionEntry; record: ReadRecord; retries: number },
  { verdict, ...failure }: GivenUp,
  control: DeliverSignals & DeliverHooks,
): Promise<Outcome> {
  const { topic, partition, offset } = record
  const { group, name, deadLetterTopic } = settings
  const later = verdict === 'retry' ? settings.retryTopics?.[retries] : undefined
  const traceId = traceOf(record)?.traceId
  const about = { topic, partition, offset: String(offset), group, ...failure, traceId }
  const written = await handOn(
    context,
    later !== undefined
      ? { topic: later.topic, record: toRetryLater(record, failure), about }
      : {
          topic: deadLetterTopic,
          record: toDeadLetter(record, { ...failure, lastAttempt: new Date(), group, subscription: name }),
          about,
        },
    control,
  )
  if (!written) return 'given-up'
  if (later !== undefined)
    context.log.info({ ...about, delayMs: later.delayMs }, 'event waits for a later attempt')
  else context.log.warn({ ...about, deadLetterTopic }, 'event sent to the dead letter')
  count(context, settings, record, later !== undefined ? 'later' : 'dead-letter')
  return 'acknowledged'
}

function startProcessSpan(
  context: DeliverContext,
  settings: SubscriptionEntry,
  record: ReadRecord,
): EventSpan {
  return startSpan(context.tracer, {
    name: `process ${record.topic}`,
    kind: SpanKind.CONSUMER,
    parent: traceOf(record),
    link: true,
    samplingRatio: context.samplingRatio(),
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': record.topic,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': settings.group,
      'messaging.destination.partition.id': String(record.partition),
      'messaging.kafka.offset': Number(record.offset),
      'weft.subscription': settings.name,
      'weft.record.timestamp_ms': Number(record.timestamp),
    },
  })
}

function end(span: EventSpan, outcome: Outcome, failure?: string): Outcome {
  span.set({ 'weft.outcome': outcome })
  span.end(failure)
  return outcome
}

function count(
  context: DeliverContext,
  settings: SubscriptionEntry,
  record: ReadRecord,
  outcome: 'ok' | 'filtered' | 'dropped' | 'later' | 'dead-letter',
): void {
  const labels = { operation: 'consume', mode: 'push', identity: context.identity, topic: record.topic }
  context.metrics.counter('weft_kafka_records_total').inc({ ...labels, group: settings.group, outcome })
  if (record.value !== null)
    context.metrics.counter('weft_kafka_bytes_total').inc(labels, record.value.length)
}
