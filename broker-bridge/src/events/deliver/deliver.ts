/**
 * One record to the app: attempts with backoff, then the dead letter. It is acknowledged by the app's 2xx, or by the broker's
 * acknowledgement of the dead letter; nothing else. Every wait ends when the partition is lost: no retry outlives ownership.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SpanKind, type Tracer } from '@opentelemetry/api'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { SubscriptionEntry } from '@weft/schemas/snapshot'
import type { Producer } from '../produce/producer.ts'
import { type EventSpan, startSpan } from '../spans.ts'
import type { AppGate } from './app-gate.ts'
import { backoffMs, retryAfterMs } from './backoff.ts'
import { type Answer, classify, describe, isUnknownAction } from './classify.ts'
import { toDeadLetter } from './dead-letter.ts'
import type { AppClient } from './post.ts'
import { type ReadRecord, toRequest, traceOf } from './record.ts'

export interface DeliverContext {
  readonly appPort: number
  readonly gate: AppGate
  readonly client: AppClient
  readonly producer: Producer
  /** The service account whose sidecar this is, for metrics. */
  readonly identity: string
  readonly samplingRatio: () => number
  readonly metrics: Metrics
  readonly log: Log
  readonly tracer: Tracer
}

/** When to stop. `lost`: the partition is no longer ours, break off. `ending`: end what is under way, begin nothing. */
export interface DeliverSignals {
  readonly lost: AbortSignal
  readonly ending: AbortSignal
}

export interface DeliverHooks {
  /** The record's partition must hand out nothing more until the dead letter is written. */
  readonly onBlocked: (blocked: boolean) => void
}

/** `given-up`: neither acknowledged nor dead-lettered; it will be delivered again by whoever owns the partition next. */
export type Outcome = 'acknowledged' | 'given-up'

export async function deliver(
  context: DeliverContext,
  entry: () => SubscriptionEntry,
  record: ReadRecord,
  control: DeliverSignals & DeliverHooks,
): Promise<Outcome> {
  const span = startProcessSpan(context, entry(), record)
  const request = toRequest(record)
  const firstAttempt = new Date()
  let failure = ''
  for (let attempt = 1; ; ) {
    const settings = entry()
    if (!(await mayAttempt(context, control))) return end(span, 'given-up')
    const answer = await attemptOnce(context, settings, record, {
      ...request,
      attempt,
      span,
      lost: control.lost,
    })
    const verdict = classify(answer)
    if (answer.kind === 'status' && isUnknownAction(answer.action))
      context.log.warn(
        { subscription: settings.name, group: settings.group, action: answer.action },
        'expected weft-action to be retry, drop or dead-letter: the status decides',
      )
    if (verdict === 'acknowledged' || verdict === 'dropped') {
      count(context, settings, record, verdict === 'dropped' ? 'dropped' : 'ok')
      if (verdict === 'dropped') span.event('dropped', { 'weft.attempt': attempt })
      return end(span, 'acknowledged')
    }
    if (verdict === 'aborted') return end(span, 'given-up')
    if (verdict === 'app-down') {
      context.gate.shut()
      continue
    }
    failure = describe(answer)
    span.event('attempt failed', { 'weft.attempt': attempt, 'weft.error': failure })
    if (verdict === 'poison' || attempt > settings.retry.attempts) {
      const dead = { error: failure, attempts: attempt, firstAttempt, lastAttempt: new Date() }
      const written = await writeDeadLetter(context, settings, record, { ...dead, ...control })
      return end(span, written, failure)
    }
    const askedMs = answer.kind === 'status' ? retryAfterMs(answer.retryAfter, Date.now()) : undefined
    const waited = await pause(backoffMs(settings.retry, attempt, askedMs), control)
    if (!waited) return end(span, 'given-up', failure)
    attempt++
  }
}

async function mayAttempt(context: DeliverContext, control: DeliverSignals): Promise<boolean> {
  if (control.ending.aborted || control.lost.aborted) return false
  if (context.gate.isOpen) return true
  return context.gate.whenOpen(AbortSignal.any([control.ending, control.lost]))
}

interface Attempt {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  readonly attempt: number
  readonly span: EventSpan
  readonly lost: AbortSignal
}

async function attemptOnce(
  context: DeliverContext,
  settings: SubscriptionEntry,
  record: ReadRecord,
  { headers, body, attempt, span, lost }: Attempt,
): Promise<Answer> {
  const started = performance.now()
  const answer = await context.client.post(
    {
      port: context.appPort,
      path: settings.path,
      headers: {
        ...headers,
        'weft-attempt': String(attempt),
        'weft-subscription': settings.name,
        traceparent: span.traceparent,
      },
      body,
      timeoutMs: settings.timeoutMs,
    },
    lost,
  )
  const outcome = answer.kind === 'status' ? classify(answer) : answer.kind
  context.metrics
    .histogram('weft_event_delivery_duration_seconds')
    .observe({ topic: record.topic, group: settings.group, outcome }, (performance.now() - started) / 1000)
  return answer
}

/** The broker has this long for a dead letter before it is tried again. */
const DEAD_LETTER_TIMEOUT_MS = 10_000
const DEAD_LETTER_BACKOFF = { backoffBaseMs: 100, backoffMaxMs: 5_000 }

/** Until it is written the partition stands still: skipping the record would lose it, passing it would hide that. */
async function writeDeadLetter(
  context: DeliverContext,
  settings: SubscriptionEntry,
  record: ReadRecord,
  failure: DeliverSignals &
    DeliverHooks & { error: string; attempts: number; firstAttempt: Date; lastAttempt: Date },
): Promise<Outcome> {
  const { topic, partition, offset } = record
  const { group, name, deadLetterTopic } = settings
  const about = {
    topic,
    partition,
    offset: String(offset),
    group,
    deadLetterTopic,
    error: failure.error,
    attempts: failure.attempts,
  }
  const letter = toDeadLetter(record, { ...failure, group, subscription: name })
  failure.onBlocked(true)
  try {
    for (let attempt = 1; ; attempt++) {
      if (failure.lost.aborted) return 'given-up'
      try {
        await context.producer.publish(deadLetterTopic, letter, DEAD_LETTER_TIMEOUT_MS)
        context.log.warn({ ...about, traceId: traceOf(record)?.traceId }, 'event sent to the dead letter')
        count(context, settings, record, 'dead-letter')
        // Written, but by then the partition was another's: it will deliver the record once more.
        return failure.lost.aborted ? 'given-up' : 'acknowledged'
      } catch (error) {
        context.log.error(
          { ...about, why: String(error) },
          'the dead letter cannot be written: the partition waits',
        )
        if (!(await pause(backoffMs(DEAD_LETTER_BACKOFF, attempt, undefined), failure))) return 'given-up'
      }
    }
  } finally {
    failure.onBlocked(false)
  }
}

/** False where the wait was cut short: the partition is lost, or the sidecar stops. */
async function pause(ms: number, control: DeliverSignals): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal: AbortSignal.any([control.lost, control.ending]) })
    return true
  } catch {
    return false
  }
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
  outcome: 'ok' | 'dropped' | 'dead-letter',
): void {
  const labels = { operation: 'consume', mode: 'push', identity: context.identity, topic: record.topic }
  context.metrics.counter('weft_kafka_records_total').inc({ ...labels, group: settings.group, outcome })
  if (record.value !== null)
    context.metrics.counter('weft_kafka_bytes_total').inc(labels, record.value.length)
}
