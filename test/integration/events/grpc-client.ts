/** A client of the event API over gRPC, as an app would make one of the proto file. */
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import type { ClientDuplexStream, ClientWritableStream } from '@grpc/grpc-js'
import { type Client, credentials, makeClientConstructor, type ServiceError } from '@grpc/grpc-js'
import { grpcDefinition } from '@weft/schemas/node/grpc-definition'
import {
  type Delivery,
  type Event,
  EventSchema,
  Events,
  PublishBatchRequestSchema,
  type PublishBatchResponse,
  type Published,
  type PublishResult,
  type SubscribeRequest,
} from '@weft/schemas/proto'

export const METHODS = grpcDefinition(Events)
const EventsClient = makeClientConstructor(METHODS, 'Events')

export type EventInit = MessageInitShape<typeof EventSchema>

export const eventOf = (init: EventInit): Event => create(EventSchema, init)
export const text = (value: string): Uint8Array => new TextEncoder().encode(value)

export class EventsOverGrpc implements Disposable {
  readonly client: Client

  constructor(target: string) {
    this.client = new EventsClient(target, credentials.createInsecure())
  }

  publish(init: EventInit): Promise<Published> {
    const { path, requestSerialize, responseDeserialize } = METHODS.publish
    return this.#unary((done) =>
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, eventOf(init), done),
    )
  }

  publishBatch(events: readonly EventInit[]): Promise<PublishBatchResponse> {
    const { path, requestSerialize, responseDeserialize } = METHODS.publishBatch
    const request = create(PublishBatchRequestSchema, { events: events.map(eventOf) })
    return this.#unary((done) =>
      this.client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, done),
    )
  }

  publishMany(events: readonly EventInit[]): Promise<PublishBatchResponse> {
    const { path, requestSerialize, responseDeserialize } = METHODS.publishMany
    return this.#unary((done) => {
      const call: ClientWritableStream<Event> = this.client.makeClientStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        done,
      )
      call.on('error', () => {})
      for (const init of events) call.write(eventOf(init))
      call.end()
    })
  }

  publishStream(): ClientDuplexStream<Event, PublishResult> {
    const { path, requestSerialize, responseDeserialize } = METHODS.publishStream
    return this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  }

  subscribe(): ClientDuplexStream<SubscribeRequest, Delivery> {
    const { path, requestSerialize, responseDeserialize } = METHODS.subscribe
    return this.client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  }

  #unary<Answer>(
    begin: (done: (error: ServiceError | null, answer?: Answer) => void) => unknown,
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      begin((error, answer) => (error === null ? resolve(answer as Answer) : reject(error)))
    })
  }

  [Symbol.dispose](): void {
    this.client.close()
  }
}
