/** Publishing for as long as the caller likes, with a result per event: it is read from no faster than results go back. */
import type { ServerDuplexStream } from '@grpc/grpc-js'
import { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Event, Published, PublishResult } from '@weft/schemas/proto'
import { settingsOf } from './call-settings.ts'
import type { CallSettings, Publisher } from './publisher.ts'
import { resultOf } from './results.ts'
import { toStatus } from './status.ts'

/** Of one call; above it the caller waits. The lanes to the broker take five batches of one partition at once. */
const MAX_IN_FLIGHT = 4_096
const MAX_BYTES_IN_FLIGHT = 8 * 1024 * 1024

export class PublishStreamCall {
  readonly #publisher: Publisher
  readonly #call: ServerDuplexStream<Event, PublishResult>
  readonly #settings: CallSettings
  readonly #log: Log
  #next = 0
  #inFlight = 0
  #bytesInFlight = 0
  /** The caller does not read its results. */
  #isFull = false
  /** Why no more is read; undefined: the caller has ended. */
  #ending: { readonly error: MeshError | undefined } | undefined

  /** Throws where the call's own settings are faulty. */
  constructor(publisher: Publisher, call: ServerDuplexStream<Event, PublishResult>, log: Log) {
    this.#publisher = publisher
    this.#call = call
    this.#log = log
    this.#settings = settingsOf(call)
    call.on('error', () => {})
    call.on('drain', () => {
      this.#isFull = false
      this.#goOn()
    })
    call.on('data', (event: Event) => this.#take(event))
    call.on('end', () => this.#end(undefined))
  }

  /** Reads no more; what is on its way is told first. */
  stop(error: MeshError): void {
    this.#call.pause()
    this.#end(error)
  }

  #take(event: Event): void {
    if (this.#ending !== undefined) return
    const index = this.#next++
    try {
      const prepared = this.#publisher.prepare(event, this.#settings, `[${index}]`)
      this.#inFlight++
      this.#bytesInFlight += prepared.bytes
      this.#publisher.send(prepared, this.#settings.timeoutMs, (outcome) => {
        this.#inFlight--
        this.#bytesInFlight -= prepared.bytes
        this.#tell(index, outcome)
      })
    } catch (error) {
      this.#tell(index, MeshError.from(error))
    }
    if (this.#isOver) this.#call.pause()
  }

  get #isOver(): boolean {
    return this.#isFull || this.#inFlight >= MAX_IN_FLIGHT || this.#bytesInFlight >= MAX_BYTES_IN_FLIGHT
  }

  #tell(index: number, outcome: Published | MeshError): void {
    if (this.#call.cancelled || this.#call.destroyed) return
    if (!this.#call.write(resultOf(index, outcome))) this.#isFull = true
    this.#goOn()
  }

  #goOn(): void {
    if (this.#ending !== undefined) this.#finish()
    else if (!this.#isOver) this.#call.resume()
  }

  #end(error: MeshError | undefined): void {
    this.#ending ??= { error }
    this.#finish()
  }

  #finish(): void {
    if (this.#inFlight > 0) return
    const error = this.#ending?.error
    if (error === undefined) this.#call.end()
    else this.#call.emit('error', toStatus(error, this.#log))
  }
}
