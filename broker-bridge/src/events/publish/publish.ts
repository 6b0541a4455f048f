/**
 * One publish request, in this order: the topic, the policy, the size limit while the body comes, the events' form, and last
 * the broker. The answer is given when the broker has acknowledged all, never before; of a batch it tells each event.
 * A topic that nobody defined is 404 also to whoever could not write to it: a mistyped name should say so, and which topics there
 * are is no secret of the sidecar's before its own app (/config shows them). Kafka clients get Kafka's answer, which hides it.
 */
import { SpanKind, type Tracer } from '@opentelemetry/api'
import { isBatch } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { TopicEntry } from '@weft/schemas/snapshot'
import { parseTraceparent } from '@weft/schemas/trace-context'
import { ANSWERED, type HttpAnswer, type HttpBody, type HttpRequest } from '../../http-service.ts'
import { bySchema } from '../by-schema.ts'
import { recordBytes } from '../produce/record.ts'
import { type EventSpan, startSpan } from '../spans.ts'
import type { SpoolingProducer } from '../spool/spooling-producer.ts'
import { answerError, answerWith } from './answer.ts'
import { Body } from './body.ts'
import type { ByteBudget } from './byte-budget.ts'
import { field } from './fields.ts'
import { checkCoding, checkRecordSize, MAX_BATCH_BYTES, timeoutOf } from './head.ts'
import type { Idempotency } from './idempotency.ts'
import { type OutgoingEvent, outgoingEvents } from './outgoing.ts'
import { type Answer, Results } from './results.ts'
import type { Target, Targets } from './target.ts'

export interface PublishContext {
  readonly targets: Targets
  readonly samplingRatio: () => number
  readonly producer: SpoolingProducer
  readonly idempotency: Idempotency
  readonly budget: ByteBudget
  readonly log: Log
  readonly tracer: Tracer
  /** Runs when all is done that a request asked for. */
  readonly onDone: () => void
}

/** The draft's keys are texts; longer ones than this are no keys. */
const MAX_KEY_LENGTH = 256

export class Publication {
  readonly #context: PublishContext
  readonly #request: HttpRequest
  readonly #answer: HttpAnswer
  readonly #span: EventSpan
  readonly #isBatch: boolean
  readonly #startedAt = performance.now()
  #target: Target | undefined
  #body: Body | undefined
  #bodyBytes = 0
  #settle: ((outcome: Answer | MeshError) => void) | undefined

  constructor(context: PublishContext, request: HttpRequest, answer: HttpAnswer, topic: string) {
    this.#context = context
    this.#request = request
    this.#answer = answer
    this.#isBatch = isBatch(field(request.fields, 'content-type'))
    this.#span = startSendSpan(context, field(request.fields, 'traceparent'), topic)
  }

  /** Everything that can be said before the body is there; returns what takes the body. */
  begin(name: string): HttpBody {
    const { fields, length } = this.#request
    try {
      const target = this.#context.targets.permitted(name, this.#span)
      this.#target = target
      checkCoding(field(fields, 'content-encoding'))
      const timeoutMs = timeoutOf(field(fields, 'weft-timeout-ms'))
      this.#body = new Body({
        what: `topic ${name}`,
        maxBytes: this.#isBatch ? MAX_BATCH_BYTES : target.topic.maxMessageBytes,
        budget: this.#context.budget,
        declared: length,
        onWhole: (bytes) => this.#take(bytes, target.topic, timeoutMs),
        onFail: (error) => this.#finish(error),
      })
      if (field(fields, 'expect') !== undefined) this.#answer.onInterim(100, [])
      return this.#body
    } catch (error) {
      this.#finish(MeshError.from(error))
      return ANSWERED
    }
  }

  /** From here on all goes on without its caller, too. */
  #take(body: Buffer, topic: TopicEntry, timeoutMs: number): void {
    this.#bodyBytes = body.length
    try {
      this.#publish(body, topic, timeoutMs)
    } catch (error) {
      this.#finish(MeshError.from(error))
    }
  }

  #publish(body: Buffer, topic: TopicEntry, timeoutMs: number): void {
    const { fields } = this.#request
    const options = { isBatch: this.#isBatch, traceparent: this.#span.traceparent }
    const events = outgoingEvents(fields, body, options)
    for (const [index, event] of events.entries()) {
      const which = this.#isBatch ? `[${index}]` : 'this one'
      event.record = bySchema(topic, event.record, which)
      checkRecordSize(recordBytes(event.record), which, topic)
    }
    const key = field(fields, 'idempotency-key')
    if (key !== undefined && !this.#claim(key, body, topic.name)) return
    this.#describe(events)
    this.#send(events, topic.name, timeoutMs)
  }

  /** False where the request with this key is on its way, or was answered: its answer is this one's. */
  #claim(key: string, body: Buffer, topic: string): boolean {
    if (key === '' || key.length > MAX_KEY_LENGTH)
      throw new MeshError('invalid_event', `idempotency-key: expected 1 to ${MAX_KEY_LENGTH} characters`)
    const claim = this.#context.idempotency.claim(topic, { key, body }, (outcome) => this.#finish(outcome))
    if (claim.isFirst) this.#settle = claim.settle
    return claim.isFirst
  }

  #describe(events: readonly OutgoingEvent[]): void {
    const [first] = events
    this.#span.set({
      'messaging.message.body.size': this.#bodyBytes,
      ...(this.#isBatch || first === undefined
        ? { 'messaging.batch.message_count': events.length }
        : { 'messaging.message.id': first.id }),
    })
  }

  #send(events: readonly OutgoingEvent[], topic: string, timeoutMs: number): void {
    const results = new Results(topic, events, this.#isBatch)
    const told = (): void => {
      if (results.isComplete) this.#finish(results.answer(), results)
    }
    for (let index = 0; index < events.length; index++) {
      const { record } = events[index] as OutgoingEvent
      const sink = {
        onStored: (partition: number, offset: bigint): void => {
          if (!this.#isBatch) this.#describePlace(partition, offset)
          results.onStored(index, partition, offset)
          told()
        },
        onSpooled: (): void => {
          results.onSpooled(index)
          told()
        },
        onFailed: (error: MeshError): void => {
          results.onFailed(index, error)
          told()
        },
      }
      this.#context.producer.send(topic, record, { timeoutMs, sink })
    }
  }

  #describePlace(partition: number, offset: bigint): void {
    this.#span.set({
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': Number(offset),
    })
  }

  /** Runs once: answers, counts, and gives back what was held. */
  #finish(outcome: Answer | MeshError, results?: Results): void {
    this.#body?.release()
    const error = outcome instanceof MeshError ? outcome : undefined
    if (error?.code === 'internal') this.#context.log.error({ error }, 'publishing failed')
    this.#target?.tally.count({
      stored: results?.stored ?? 0,
      failed: results === undefined ? (error === undefined ? 0 : 1) : results.failed,
      bytes: this.#bodyBytes,
      seconds: (performance.now() - this.#startedAt) / 1000,
    })
    this.#give(outcome)
    this.#settle?.(outcome)
    this.#span.end(error?.message)
    this.#context.onDone()
  }

  #give(outcome: Answer | MeshError): void {
    const { traceparent, context } = this.#span
    if (outcome instanceof MeshError) {
      answerError(this.#answer, outcome, { traceId: context.traceId, fields: ['traceparent', traceparent] })
      return
    }
    const fields = ['content-type', 'application/json', 'traceparent', traceparent]
    answerWith(this.#answer, { status: outcome.status, fields }, outcome.body)
  }
}

/** The span of what is published; `send <topic>` as the semantic conventions say. */
export function startSendSpan(
  context: Pick<PublishContext, 'tracer' | 'samplingRatio'>,
  traceparent: string | undefined,
  topic: string,
): EventSpan {
  return startSpan(context.tracer, {
    name: `send ${topic}`,
    kind: SpanKind.PRODUCER,
    parent: parseTraceparent(traceparent),
    samplingRatio: context.samplingRatio(),
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
    },
  })
}
