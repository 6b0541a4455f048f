/**
 * One client connection and its one connection to a broker.
 *
 *     waiting ──first whole request──▶ connecting ──▶ open ──drain──▶ draining
 *        └──────────────┴──────────────────┴────────────┴───────────────┴────▶ closed
 *
 * Kafka answers in order, so requests that await an answer stand in one queue; an answer that is made here waits its
 * turn in it. Back-pressure: a socket that takes no more (`writableNeedDrain`) stops the reading of the other one,
 * and so does a full queue. What has been read and not yet forwarded stays in the frame splitter.
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { PRODUCE } from '../wire/00-produce.ts'
import { FETCH } from '../wire/01-fetch.ts'
import { REQUEST_HEAD_BYTES } from '../wire/api.ts'
import { APIS } from '../wire/apis.ts'
import type { FrameMemory } from '../wire/frame-memory.ts'
import { FrameSplitter } from '../wire/frames.ts'
import { Answer, Exchange, type Stage } from './exchange.ts'
import { checkRequestHead } from './stages/api-filter.ts'

/** Java clients keep 5 requests in flight, librdkafka as many as it has: enough to fill a pipe, bounded for all. */
const MAX_IN_FLIGHT = 256
/** A client says something at once; one that does not holds a socket for nothing. */
const FIRST_REQUEST_TIMEOUT_MS = 10_000
/** What a closing socket may take to send what it holds, before it is cut. */
const FLUSH_TIMEOUT_MS = 2_000
/** Answers come from the broker that the mesh trusts: as large as a frame can say. Memory follows what arrives. */
const MAX_ANSWER_BYTES = 0x7fff_ffff - 4

export interface ConnectionOptions {
  readonly client: Socket
  /** Opens the connection to the broker, when the client has sent a first request. */
  readonly connect: () => Promise<Socket>
  readonly stages: readonly Stage[]
  readonly maxRequestBytes?: number
  /** Told of what each read of a socket brought. */
  readonly onRead?: (bytes: number) => void
  /** Runs once; without an error the client left by itself. */
  readonly onClose: (error: MeshError | undefined) => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #client: Socket
  readonly #requests: FrameSplitter
  readonly #answers = new FrameSplitter({ maxBytes: MAX_ANSWER_BYTES, headBytes: 4 })
  readonly #inFlight: Exchange[] = []
  readonly #firstRequestTimer: NodeJS.Timeout
  #state: 'waiting' | 'connecting' | 'open' | 'draining' | 'closed' = 'waiting'
  #broker: Socket | undefined
  /** The first request, while the broker's connection opens. */
  #held: Buffer | undefined
  /** True while an answer waits for a hook: those behind it wait as well. */
  #isAnswerHeld = false
  /** While the client is over a quota. */
  #mute: NodeJS.Timeout | undefined
  #mutedUntil = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#client = options.client
    this.#requests = new FrameSplitter({
      headBytes: REQUEST_HEAD_BYTES,
      check: checkRequestHead,
      ...(options.maxRequestBytes !== undefined && { maxBytes: options.maxRequestBytes }),
    })
    this.#firstRequestTimer = setTimeout(
      () =>
        this.close(
          new MeshError('request_timeout', `no Kafka request within ${FIRST_REQUEST_TIMEOUT_MS} ms`),
        ),
      FIRST_REQUEST_TIMEOUT_MS,
    )
    this.#client.on('data', (chunk: Buffer) => {
      options.onRead?.(chunk.length)
      this.#guard(() => this.#onClientData(chunk))
    })
    this.#client.on('drain', () => this.#guard(() => this.#onDrain()))
    this.#client.on('error', () => this.close())
    this.#client.on('close', () => this.close())
  }

  /** Lets the answers in flight come, then closes. What the client sends from now on is not read. */
  drain(): void {
    if (this.#state === 'closed') return
    this.#state = 'draining'
    this.#client.pause()
    if (this.#inFlight.length === 0) this.close(draining())
  }

  /** Both sockets send what they hold, then end. */
  close(error?: MeshError): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#firstRequestTimer)
    clearTimeout(this.#mute)
    for (const socket of [this.#client, this.#broker]) if (socket !== undefined) endSoon(socket)
    this.#options.onClose(error)
  }

  #guard(work: () => void): void {
    if (this.#state === 'closed') return
    try {
      work()
    } catch (error) {
      this.close(MeshError.from(error))
    }
  }

  #onClientData(chunk: Buffer): void {
    this.#requests.push(chunk)
    if (this.#state === 'waiting') this.#onFirstBytes()
    else this.#pump()
  }

  #onFirstBytes(): void {
    this.#held = this.#requests.next()
    if (this.#held === undefined) return
    clearTimeout(this.#firstRequestTimer)
    this.#state = 'connecting'
    this.#client.pause()
    this.#options.connect().then(
      (broker) => this.#onBroker(broker),
      (error: unknown) => this.close(MeshError.from(error)),
    )
  }

  #onBroker(broker: Socket): void {
    broker.on('error', () => {}) // 'close' follows
    // The client left, or the drain began, while the handshake ran: nobody has an owner for this socket.
    if (this.#state !== 'connecting') {
      broker.destroy()
      return
    }
    this.#state = 'open'
    this.#broker = broker
    broker.on('data', (chunk: Buffer) => {
      this.#options.onRead?.(chunk.length)
      this.#guard(() => {
        this.#answers.push(chunk)
        this.#deliver()
      })
    })
    broker.on('drain', () => this.#guard(() => this.#pump()))
    broker.on('close', () =>
      this.close(new MeshError('upstream_reset', 'the Kafka broker closed the connection')),
    )
    this.#guard(() => this.#pump())
  }

  /** The client takes more: answers may flow again, and with them requests. */
  #onDrain(): void {
    this.#deliver()
    this.#pump()
  }

  #pump(): void {
    const broker = this.#broker
    if (broker === undefined || this.#state !== 'open') return
    broker.cork()
    while (this.#state === 'open' && !this.#isFull(broker)) {
      const frame = this.#held ?? this.#requests.next()
      this.#held = undefined
      if (frame === undefined) break
      this.#request(frame, broker)
    }
    broker.uncork()
    if (this.#state !== 'open') return
    this.#deliver() // local answers may stand at the head of the queue
    this.#setFlow(this.#client, !this.#isFull(broker))
  }

  #isFull(broker: Socket): boolean {
    return (
      this.#mute !== undefined ||
      broker.writableNeedDrain ||
      this.#client.writableNeedDrain ||
      this.#inFlight.length >= MAX_IN_FLIGHT
    )
  }

  /** Reads nothing of the client for so long, or for as long as it was told before; answers still come. */
  #muteFor(milliseconds: number): void {
    const until = performance.now() + milliseconds
    if (this.#state === 'closed' || until <= this.#mutedUntil) return
    this.#mutedUntil = until
    clearTimeout(this.#mute)
    this.#mute = setTimeout(() => {
      this.#mute = undefined
      this.#guard(() => this.#pump())
    }, milliseconds)
    this.#setFlow(this.#client, false)
  }

  #setFlow(socket: Socket, flows: boolean): void {
    if (flows === !socket.isPaused()) return
    if (flows) socket.resume()
    else socket.pause()
  }

  #request(frame: Buffer, broker: Socket): void {
    const api = APIS.get(frame.readInt16BE(4))
    if (api === undefined) throw new MeshError('not_implemented', 'an unknown Kafka API came')
    // Of large requests, which are Produce: no stage keeps anything of its bytes.
    const memory = api === PRODUCE ? this.#requests.takeMemory() : undefined
    const exchange = new Exchange(api, frame, memory)
    for (const stage of this.#options.stages) {
      const hook = stage(exchange)
      if (hook !== undefined) exchange.hooks.push(hook)
      if (exchange.localAnswer !== undefined) break
    }
    if (exchange.localAnswer === undefined && exchange.isForwarded) writeAll(broker, exchange)
    exchange.release()
    if (exchange.expectsAnswer) this.#inFlight.push(exchange)
    if (exchange.muteMs > 0) this.#muteFor(exchange.muteMs)
    if (exchange.closesConnection)
      this.close(
        new MeshError('permission_denied', 'refused by policy, and acks=0 leaves no other way to say so'),
      )
  }

  #deliver(): void {
    if (this.#isAnswerHeld) return
    this.#client.cork()
    while (!this.#isAnswerHeld && this.#inFlight.length > 0) {
      const [exchange] = this.#inFlight
      const frame = exchange?.localAnswer ?? this.#answers.next()
      if (exchange === undefined || frame === undefined) break
      const isFetched = exchange.api === FETCH && exchange.localAnswer === undefined
      this.#answer(exchange, frame, isFetched ? this.#answers.takeMemory() : undefined)
    }
    this.#client.uncork()
    if (this.#inFlight.length === 0) this.#onQuiet()
    else if (this.#broker !== undefined && this.#state !== 'closed')
      this.#setFlow(this.#broker, !this.#client.writableNeedDrain && !this.#isAnswerHeld)
  }

  #onQuiet(): void {
    if (this.#answers.buffered > 0)
      throw new MeshError('upstream_protocol', 'the Kafka broker answered unasked')
    if (this.#state === 'draining') this.close(draining())
    else if (this.#broker !== undefined) this.#setFlow(this.#broker, true)
  }

  /** `memory`: what the frame lies in. */
  #answer(exchange: Exchange, frame: Buffer, memory: FrameMemory | undefined): void {
    if (frame.readInt32BE(4) !== exchange.header.correlationId)
      throw new MeshError('upstream_protocol', 'the Kafka broker answered out of order')
    const answer = new Answer(exchange.api, exchange.version, frame)
    const waits: Promise<void>[] = []
    for (const hook of exchange.hooks) {
      const wait = hook(answer)
      if (wait !== undefined) waits.push(wait)
    }
    if (waits.length === 0) {
      this.#send(answer, memory)
      return
    }
    this.#isAnswerHeld = true
    Promise.all(waits).then(
      () => {
        this.#isAnswerHeld = false
        this.#guard(() => {
          this.#send(answer, memory)
          this.#deliver()
          this.#pump()
        })
      },
      (error: unknown) => this.close(MeshError.from(error)),
    )
  }

  #send(answer: Answer, memory: FrameMemory | undefined): void {
    this.#inFlight.shift()
    this.#client.write(answer.frame(), memory && (() => memory.release()))
    if (answer.muteMs > 0) this.#muteFor(answer.muteMs)
    // A full queue had stopped the client.
    if (this.#inFlight.length === MAX_IN_FLIGHT - 1) setImmediate(() => this.#guard(() => this.#pump()))
  }
}

function writeAll(broker: Socket, exchange: Exchange): void {
  const { pieces } = exchange
  const last = pieces.length - 1
  for (let at = 0; at < last; at++) broker.write(pieces[at] as Buffer)
  broker.write(pieces[last] as Buffer, exchange.memoryRelease())
}

const draining = (): MeshError => new MeshError('draining', 'the sidecar is stopping')

function endSoon(socket: Socket): void {
  socket.resume() // a paused socket would never see the other side's end
  socket.removeAllListeners('data')
  socket.on('data', () => {})
  socket.destroySoon()
  setTimeout(() => socket.destroy(), FLUSH_TIMEOUT_MS).unref()
}
