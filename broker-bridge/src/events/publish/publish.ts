/**
 * One publish request, in this order: the topic, the policy, the size limit while the body comes, the event's form, and last
 * the broker. The answer is given when the broker has acknowledged, never before.
 * A topic that nobody defined is 404 also to whoever could not write to it: a mistyped name should say so, and which topics there
 * are is no secret of the sidecar's before its own app (/config shows them). Kafka clients get Kafka's answer, which hides it.
 */
import { randomUUID } from 'node:crypto'
import { SpanKind, type Tracer } from '@opentelemetry/api'
import { fromHttp, type HeaderField, toKafka } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import { parseTraceparent } from '@weft/schemas/trace-context'
import type { HttpAnswer, HttpBody, HttpRequest } from '../../http-service.ts'
import type { Producer } from '../produce/producer.ts'
import { type OutgoingRecord, type RecordSink, recordBytes } from '../produce/record.ts'
import { type EventSpan, startSpan } from '../spans.ts'
import { answerError, answerWith } from './answer.ts'
import { Body } from './body.ts'
import type { ByteBudget } from './byte-budget.ts'
import { eventHeaders, field } from './fields.ts'
import type { Target, Targets } from './target.ts'

export interface PublishContext {
  readonly targets: Targets
  readonly samplingRatio: () => number
  readonly producer: Producer
  readonly budget: ByteBudget
  readonly log: Log
  readonly tracer: Tracer
  /** Runs when a request has been answered. */
  readonly onDone: () => void
}

/** How long the broker may take to acknowledge, unless `weft-timeout-ms` says otherwise. */
const DEFAULT_TIMEOUT_MS = 10_000
const MAX_TIMEOUT_MS = 60_000
/** What the sidecar's own headers take: nobody's event is refused for them. */
const RECORD_ALLOWANCE = 1_024
/** Slow senders do not hold memory for ever: a body that comes in several reads has this time. */
const BODY_TIMEOUT_MS = 30_000

export class Publication implements HttpBody, RecordSink {
  readonly #context: PublishContext
  readonly #request: HttpRequest
  readonly #answer: HttpAnswer
  readonly #span: EventSpan
  readonly #startedAt = performance.now()
  #target: Target | undefined
  #body: Body | undefined
  #bodyTimer: NodeJS.Timeout | undefined
  #timeoutMs = DEFAULT_TIMEOUT_MS
  #bodyBytes = 0
  #id = ''
  /** The answer has been given, or nobody is there to get it. */
  #isAnswered = false

  constructor(context: PublishContext, request: HttpRequest, answer: HttpAnswer, topic: string) {
    this.#context = context
    this.#request = request
    this.#answer = answer
    this.#span = startPublishSpan(context, request, topic)
  }

  /** Everything that can be said before the body is there. */
  begin(topic: string): void {
    try {
      const { fields, length } = this.#request
      const target = this.#context.targets.permitted(topic, this.#span)
      this.#target = target
      checkCoding(field(fields, 'content-encoding'))
      this.#timeoutMs = timeoutOf(field(fields, 'weft-timeout-ms'))
      const { budget } = this.#context
      this.#body = new Body({ topic, maxBytes: target.topic.maxMessageBytes, budget }, length)
      if (field(fields, 'expect') !== undefined) this.#answer.onInterim(100, [])
    } catch (error) {
      this.#fail(error)
    }
  }

  data(chunk: Buffer): void {
    const body = this.#body
    if (body === undefined || this.#isAnswered) return
    this.#bodyBytes += chunk.length
    if (this.#bodyBytes !== this.#request.length)
      this.#bodyTimer ??= setTimeout(
        () =>
          this.#fail(
            new MeshError('request_timeout', `expected the whole event within ${BODY_TIMEOUT_MS} ms`),
          ),
        BODY_TIMEOUT_MS,
      )
    try {
      body.add(chunk)
    } catch (error) {
      this.#fail(error)
    }
  }

  end(): void {
    const body = this.#body
    if (body === undefined || this.#isAnswered) return
    clearTimeout(this.#bodyTimer)
    try {
      const record = this.#toRecord(body.take())
      const topic = (this.#target as Target).topic
      checkSize(record, topic.name, topic.maxMessageBytes)
      this.#span.set({ 'messaging.message.id': this.#id, 'messaging.message.body.size': this.#bodyBytes })
      this.#context.producer.send(topic.name, record, { timeoutMs: this.#timeoutMs, sink: this })
    } catch (error) {
      this.#fail(error)
    }
  }

  /** What is with the producer goes on without its caller. */
  cancel(error: MeshError): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    clearTimeout(this.#bodyTimer)
    if (this.#id === '') this.#finish(error)
  }

  pause(): void {}
  resume(): void {}

  onStored(partition: number, offset: bigint): void {
    const { topic, tally } = this.#target as Target
    const place = String(offset)
    this.#span.set({
      'messaging.destination.partition.id': String(partition),
      'messaging.kafka.offset': Number(offset),
    })
    tally.stored(this.#bodyBytes, (performance.now() - this.#startedAt) / 1000)
    if (!this.#isAnswered) {
      this.#isAnswered = true
      const fields = ['content-type', 'application/json', 'traceparent', this.#span.traceparent]
      const body = `{"topic":"${topic.name}","partition":${partition},"offset":"${place}","id":${JSON.stringify(this.#id)}}`
      answerWith(this.#answer, { status: 200, fields }, body)
    }
    this.#finish(undefined)
  }

  onFailed(error: MeshError): void {
    this.#fail(error)
  }

  #fail(thrown: unknown): void {
    const error = MeshError.from(thrown)
    if (error.code === 'internal') this.#context.log.error({ error: thrown }, 'publishing failed')
    if (this.#target !== undefined) this.#target.tally.failed()
    if (!this.#isAnswered) {
      this.#isAnswered = true
      const { traceId } = this.#span.context
      answerError(this.#answer, error, { traceId, fields: ['traceparent', this.#span.traceparent] })
    }
    this.#finish(error)
  }

  #finish(error: MeshError | undefined): void {
    clearTimeout(this.#bodyTimer)
    this.#body?.release()
    this.#body = undefined
    this.#span.end(error?.message)
    this.#context.onDone()
  }

  #toRecord(body: Buffer): OutgoingRecord {
    const { fields } = this.#request
    const { event, key, headers: own } = fromHttp(eventHeaders(fields), body)
    const { headers, value } = toKafka(event)
    this.#id = event.kind === 'cloudevent' ? event.attributes.id : randomUUID()
    const all: HeaderField[] = [...headers, ...own]
    if (event.kind === 'raw') all.push(['weft-id', Buffer.from(this.#id)])
    all.push(['traceparent', Buffer.from(this.#span.traceparent)])
    for (const name of ['tracestate', 'baggage']) {
      const passed = field(fields, name)
      if (passed !== undefined) all.push([name, Buffer.from(passed, 'latin1')])
    }
    return { ...(key !== undefined && { key }), value, headers: all }
  }
}

/** The span of one request; `send <topic>` as the semantic conventions say. */
function startPublishSpan(context: PublishContext, { fields }: HttpRequest, topic: string): EventSpan {
  return startSpan(context.tracer, {
    name: `send ${topic}`,
    kind: SpanKind.PRODUCER,
    parent: parseTraceparent(field(fields, 'traceparent')),
    samplingRatio: context.samplingRatio(),
    attributes: {
      'messaging.system': 'kafka',
      'messaging.destination.name': topic,
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
    },
  })
}

/** A record has no place for a coding: a consumer would get bytes that it cannot read. */
function checkCoding(coding: string | undefined): void {
  if (coding !== undefined && coding !== 'identity')
    throw new MeshError(
      'unsupported_media_type',
      `expected a body without Content-Encoding, came ${JSON.stringify(coding.slice(0, 40))}`,
    )
}

function checkSize(record: OutgoingRecord, topic: string, maxBytes: number): void {
  const bytes = recordBytes(record)
  if (bytes > maxBytes + RECORD_ALLOWANCE)
    throw new MeshError(
      'event_too_large',
      `topic ${topic} takes records up to ${maxBytes} bytes, this one has ${bytes} with key and headers`,
      { target: topic },
    )
}

function timeoutOf(raw: string | undefined): number {
  if (raw === undefined) return DEFAULT_TIMEOUT_MS
  const value = /^\d{1,6}$/.test(raw) ? Number(raw) : 0
  if (value >= 1 && value <= MAX_TIMEOUT_MS) return value
  throw new MeshError(
    'invalid_event',
    `weft-timeout-ms: expected milliseconds from 1 to ${MAX_TIMEOUT_MS}, came ${JSON.stringify(raw.slice(0, 20))}`,
  )
}
