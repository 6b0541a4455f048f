/** Publishing with an answer at the end of the call: one event, several at once, or a stream of them. */
import { create } from '@bufbuild/protobuf'
import type { handleClientStreamingCall, handleUnaryCall, sendUnaryData } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import {
  type Event,
  type PublishBatchRequest,
  type PublishBatchResponse,
  PublishBatchResponseSchema,
  type Published,
  type PublishResult,
} from '@weft/schemas/proto'
import { settingsOf } from './call-settings.ts'
import type { CallSettings, Prepared, Publisher } from './publisher.ts'
import { resultOf } from './results.ts'
import { toStatus } from './status.ts'

/** Their results are kept until the end of the call. */
const MAX_EVENTS = 10_000

export function publishOne(publisher: Publisher, log: Log): handleUnaryCall<Event, Published> {
  return (call, reply) => {
    try {
      const settings = settingsOf(call)
      publisher.send(publisher.prepare(call.request, settings, 'this one'), settings.timeoutMs, (outcome) => {
        if (outcome instanceof MeshError) reply(toStatus(outcome, log))
        else reply(null, outcome)
      })
    } catch (error) {
      reply(toStatus(error, log))
    }
  }
}

/** Nothing is sent where one of them cannot be: what is wrong with the first such one is the status. */
export function publishBatch(
  publisher: Publisher,
  log: Log,
): handleUnaryCall<PublishBatchRequest, PublishBatchResponse> {
  return (call, reply) => {
    try {
      const settings = settingsOf(call)
      const { events } = call.request
      if (events.length > MAX_EVENTS) throw tooMany()
      const all = prepareAll(publisher, events, settings)
      const batch = new Collected(reply)
      for (const prepared of all) batch.send(publisher, prepared, settings)
      batch.end()
    } catch (error) {
      reply(toStatus(error, log))
    }
  }
}

function prepareAll(
  publisher: Publisher,
  events: readonly Event[],
  settings: CallSettings,
): readonly Prepared[] {
  const all: Prepared[] = []
  try {
    for (const [index, event] of events.entries()) all.push(publisher.prepare(event, settings, `[${index}]`))
    return all
  } catch (thrown) {
    const error = MeshError.from(thrown)
    for (const prepared of all) publisher.discard(prepared, error)
    throw new MeshError(error.code, `[${all.length}]: ${error.message}`, error.details)
  }
}

export function publishMany(
  publisher: Publisher,
  log: Log,
): handleClientStreamingCall<Event, PublishBatchResponse> {
  return (call, reply) => {
    const batch = new Collected(reply)
    const fail = (error: unknown): void => {
      call.destroy()
      reply(toStatus(error, log))
    }
    let settings: CallSettings
    try {
      settings = settingsOf(call)
    } catch (error) {
      fail(error)
      return
    }
    call.on('error', () => {})
    call.on('data', (event: Event) => {
      if (batch.length >= MAX_EVENTS) fail(tooMany())
      else batch.publish(publisher, event, settings)
    })
    call.on('end', () => batch.end())
  }
}

const tooMany = (): MeshError =>
  new MeshError(
    'payload_too_large',
    `expected at most ${MAX_EVENTS} events in a call; PublishStream takes any`,
  )

/** The results of a call, until the last event has been told. */
class Collected {
  readonly #reply: sendUnaryData<PublishBatchResponse>
  readonly #results: PublishResult[] = []
  #sent = 0
  #told = 0
  #isEnded = false

  constructor(reply: sendUnaryData<PublishBatchResponse>) {
    this.#reply = reply
  }

  get length(): number {
    return this.#sent
  }

  publish(publisher: Publisher, event: Event, settings: CallSettings): void {
    try {
      this.send(publisher, publisher.prepare(event, settings, `[${this.#sent}]`), settings)
    } catch (error) {
      this.#tell(this.#sent++, MeshError.from(error))
    }
  }

  send(publisher: Publisher, prepared: Prepared, { timeoutMs }: CallSettings): void {
    const index = this.#sent++
    publisher.send(prepared, timeoutMs, (outcome) => this.#tell(index, outcome))
  }

  /** No more events. */
  end(): void {
    this.#isEnded = true
    this.#answer()
  }

  #tell(index: number, outcome: Published | MeshError): void {
    this.#told++
    this.#results[index] = resultOf(index, outcome)
    this.#answer()
  }

  #answer(): void {
    if (this.#isEnded && this.#told === this.#sent)
      this.#reply(null, create(PublishBatchResponseSchema, { results: this.#results }))
  }
}
