/**
 * `POST /v1/transactions`: a batch of CloudEvents over several topics, all stored or none. Each event names its topic in the
 * extension attribute `topic`, which is not stored.
 */
import { type CloudEvent, fromHttpBatch, type HeaderField, toKafka } from '@weft/schemas/cloudevents'
import { MeshError } from '@weft/schemas/error'
import { ANSWERED, type HttpAnswer, type HttpBody, type HttpRequest } from '../../http-service.ts'
import { bySchema } from '../by-schema.ts'
import { recordBytes } from '../produce/record.ts'
import type { TopicRecord, Transactions } from '../produce/transactions.ts'
import type { EventSpan } from '../spans.ts'
import { answerError, answerWith } from './answer.ts'
import { Body } from './body.ts'
import { eventHeaders, field } from './fields.ts'
import { checkBatchType, checkCoding, checkRecordSize, MAX_BATCH_BYTES, timeoutOf } from './head.ts'
import { type PublishContext, startSendSpan } from './publish.ts'
import type { Target } from './target.ts'

/** More would hold the transaction's locks, and its readers, for long. */
const MAX_EVENTS = 1_000

interface TransactionEvent extends TopicRecord {
  readonly id: string
  readonly target: Target
}

export class TransactionRequest {
  readonly #context: PublishContext
  readonly #transactions: Transactions
  readonly #request: HttpRequest
  readonly #answer: HttpAnswer
  readonly #span: EventSpan
  readonly #startedAt = performance.now()
  #body: Body | undefined

  constructor(
    context: PublishContext,
    transactions: Transactions,
    exchange: { readonly request: HttpRequest; readonly answer: HttpAnswer },
  ) {
    this.#context = context
    this.#transactions = transactions
    this.#request = exchange.request
    this.#answer = exchange.answer
    this.#span = startSendSpan(context, field(exchange.request.fields, 'traceparent'), 'transaction')
  }

  begin(): HttpBody {
    const { fields, length } = this.#request
    try {
      checkCoding(field(fields, 'content-encoding'))
      checkBatchType(field(fields, 'content-type'))
      const timeoutMs = timeoutOf(field(fields, 'weft-timeout-ms'))
      this.#body = new Body({
        what: 'a transaction',
        maxBytes: MAX_BATCH_BYTES,
        budget: this.#context.budget,
        declared: length,
        onWhole: (bytes) => void this.#run(bytes, timeoutMs),
        onFail: (error) => this.#fail(error),
      })
      if (field(fields, 'expect') !== undefined) this.#answer.onInterim(100, [])
      return this.#body
    } catch (error) {
      this.#fail(MeshError.from(error))
      return ANSWERED
    }
  }

  async #run(bytes: Buffer, timeoutMs: number): Promise<void> {
    let events: readonly TransactionEvent[] = []
    try {
      events = this.#read(bytes)
      const places = await this.#transactions.run(events, timeoutMs)
      const results = events.map(({ id, topic }, index) => {
        const { partition = -1, offset } = places[index] ?? {}
        return { topic, partition, offset: String(offset), id }
      })
      this.#count(events, true)
      const fields = ['content-type', 'application/json', 'traceparent', this.#span.traceparent]
      answerWith(this.#answer, { status: 200, fields }, JSON.stringify(results))
      this.#finish()
    } catch (error) {
      this.#count(events, false)
      this.#fail(MeshError.from(error))
    }
  }

  #read(bytes: Buffer): readonly TransactionEvent[] {
    const incoming = fromHttpBatch(eventHeaders(this.#request.fields), bytes)
    if (incoming.length > MAX_EVENTS)
      throw new MeshError('invalid_event', `expected at most ${MAX_EVENTS} events in a transaction`)
    const faults: string[] = []
    const events = incoming.map((each, index) => {
      const { attributes, ...event } = each.event as CloudEvent<Uint8Array | string>
      const { topic, ...stored } = attributes
      if (topic === undefined) faults.push(`[${index}].topic: expected the name of a topic, it is missing`)
      const { headers, value } = toKafka({ ...event, attributes: { ...stored } as typeof attributes })
      const traceparent: HeaderField<string> = ['traceparent', this.#span.traceparent]
      const record = {
        ...(each.key !== undefined && { key: each.key }),
        value,
        headers: [...headers, ...each.headers, traceparent],
      }
      return { id: attributes.id, topic: topic ?? '', record, index }
    })
    if (faults.length > 0) throw new MeshError('invalid_event', `the batch has faults: ${faults.join('; ')}`)
    return events.map(({ id, topic, record: sent, index }) => {
      const which = `[${index}]`
      const target = this.#context.targets.permitted(topic, this.#span)
      const record = bySchema(target.topic, sent, which)
      checkRecordSize(recordBytes(record), which, target.topic)
      return { id, topic, record, target }
    })
  }

  #count(events: readonly TransactionEvent[], isStored: boolean): void {
    const seconds = (performance.now() - this.#startedAt) / 1000
    for (const { target, record } of events)
      target.tally.count({
        stored: isStored ? 1 : 0,
        failed: isStored ? 0 : 1,
        bytes: recordBytes(record),
        seconds,
      })
  }

  #fail(error: MeshError): void {
    const { traceparent, context } = this.#span
    answerError(this.#answer, error, { traceId: context.traceId, fields: ['traceparent', traceparent] })
    this.#finish(error.message)
  }

  #finish(fault?: string): void {
    this.#body?.release()
    this.#span.end(fault)
    this.#context.onDone()
  }
}
