/**
 * An accepted HTTP/1.1 connection.
 *
 *   idle ──first byte──▶ reading head ──head──▶ in exchange ──request and answer whole──▶ idle
 *     │                     │ 408                  │ answer whole, `close` announced
 *     │ 75 s, drain         ▼                      ▼
 *     └────────────────▶ ending: FIN sent, what still comes is read and dropped ──1 s or FIN──▶ closed
 *
 * One exchange at a time: the reader is parked until an answer is whole, so pipelined requests are answered in order and
 * wait in at most one read's worth of buffer. How it ends: ending.ts.
 */
import type { Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import { Ending, MAX_DISCARDED_BYTES } from '../ending.ts'
import type { Fields } from '../exchange.ts'
import { Output, type OutputOwner } from '../output.ts'
import { onRead } from '../read-memory.ts'
import type { OpenTunnel } from '../tcp/pending-splice.ts'
import { answeredTunnel } from './connect.ts'
import type { HeadScanner } from './head-scanner.ts'
import { BODY, MessageReader, type MessageSink } from './message-reader.ts'
import { RequestHeadReader } from './request-head.ts'
import { type ExchangeOwner, ServerExchange } from './server-exchange.ts'
import type { ServerConnectionOptions } from './server-options.ts'
import { SilenceLimit } from './silence-limit.ts'
import { interimText, problemText } from './write-head.ts'

export class ServerConnection implements MessageSink, ExchangeOwner, OutputOwner {
  readonly #socket: Socket
  readonly #options: ServerConnectionOptions
  readonly #reader: MessageReader
  readonly heads: RequestHeadReader
  readonly output: Output
  readonly #ending: Ending
  #exchange: ServerExchange | undefined
  #tunnel: OpenTunnel | undefined
  #isLast = false
  #isBodyPaused = false
  #isWaitingToProceed = false
  #discarded = 0
  readonly #silence: SilenceLimit

  constructor(socket: Socket, options: ServerConnectionOptions) {
    this.#socket = socket
    this.#options = options
    this.output = new Output(socket, this)
    this.#ending = new Ending(socket)
    this.#reader = new MessageReader('request', this, options.limits)
    this.heads = new RequestHeadReader(options)
    this.#silence = new SilenceLimit(options.limits)
    onRead(socket, (chunk) => this.#onData(chunk))
    socket.on('end', () => this.#onSocketEnd())
    socket.on('error', () => {}) // 'close' follows, and says enough
    socket.on('close', () => this.#onClose()).resume()
  }

  get closesAfterAnswer(): boolean {
    return this.#isLast
  }

  /**
   * Busy connections end after the answer they are at, idle ones at once, but for those that were busy a moment ago: their
   * caller may be sending its next request right now, a FIN would cross it, and the request would be lost. They answer
   * one more request, or end when they have been quiet for a while.
   */
  drain(): void {
    this.#isLast = true
    if (this.#exchange !== undefined || !this.#reader.isBetweenMessages) return
    if (this.#silence.isQuiet()) this.#end()
  }

  destroy(): void {
    this.#ending.destroy()
  }

  /** Called some times a second: cheaper than a timer for each request. */
  checkDeadline(now: number): void {
    if (this.#ending.isBegun) {
      this.#ending.checkDeadline(now)
      return
    }
    const { validUntil } = this.#options
    if (validUntil !== undefined && now >= validUntil && !this.#isLast) this.drain()
    if (!this.#silence.hasPassed(now)) return
    const exchange = this.#exchange
    if (exchange === undefined && this.#reader.isBetweenMessages) this.#end()
    else if (exchange === undefined)
      this.#reject(new MeshError('request_timeout', 'expected the whole request head in time'))
    else if (exchange.isAnswerEnded) this.#end()
    else if (!exchange.isRequestEnded && !this.#isBodyPaused)
      this.#reject(new MeshError('request_timeout', 'expected more of the request body in time'))
  }

  // From the socket

  #onData(chunk: Buffer): void {
    if (this.#ending.isBegun) {
      this.#ending.discard(chunk.length)
      return
    }
    try {
      this.#reader.feed(chunk)
      this.#afterRead()
    } catch (error) {
      this.#reject(MeshError.from(error))
    }
  }

  #afterRead(): void {
    const exchange = this.#exchange
    if (this.#ending.isBegun) return
    if (this.#tunnel !== undefined) {
      this.output.flush()
      this.#ending.handOver(answeredTunnel(this.#socket, this.#tunnel, this.#reader.takeRest()))
    } else if (exchange?.head.upgrade !== undefined) this.#silence.onTunnelled()
    else if (exchange !== undefined && !exchange.isRequestEnded) this.#silence.onBodyPart()
    else if (exchange !== undefined || this.#isWaitingToProceed) {
      if (this.#reader.heldBytes > 0) this.#socket.pause()
    } else if (!this.#reader.isBetweenMessages) this.#silence.onHeadPart()
  }

  #onSocketEnd(): void {
    if (this.#exchange?.isTunnel === true) {
      this.#exchange.isRequestEnded = true
      this.#exchange.handler.end(undefined)
      return
    }
    // As Envoy, nginx and Go do: who shuts its side while it waits is gone, and what is done for it can be stopped.
    if (this.#exchange !== undefined) this.#abandon(this.#exchange)
    this.#end()
  }

  #onClose(): void {
    if (this.#exchange !== undefined) this.#abandon(this.#exchange)
    this.#reader.stop()
    this.#ending.onClosed()
  }

  #abandon(exchange: ServerExchange): void {
    this.#exchange = undefined
    exchange.isAnswerEnded = true
    exchange.handler.cancel(new MeshError('cancelled', 'the caller closed its connection'))
  }

  // From the reader

  onHead(scanner: HeadScanner, buffer: Buffer, from: number, to: number): number {
    this.#silence.onHead()
    const head = this.heads.read(scanner, buffer, from, to)
    if (head.method === 'CONNECT') {
      this.#openTunnel(head.authority)
      return 0
    }
    const isUpgrade = head.upgrade !== undefined
    // What follows an upgrade is no request, also where it is refused: nobody could say where the next one would begin.
    if (this.heads.wantsClose || isUpgrade) this.#isLast = true
    const exchange = new ServerExchange(this, head)
    this.#exchange = exchange
    this.#discarded = 0
    exchange.handler = this.#options.service.call(head, exchange)
    if (this.output.isBlocked) exchange.handler.pause()
    return isUpgrade ? BODY.untilClose : head.length
  }

  onBody(chunk: Buffer): void {
    const exchange = this.#exchange
    if (exchange === undefined) return
    if (!exchange.isAnswerEnded) {
      exchange.handler.data(chunk)
      return
    }
    this.#discarded += chunk.length
    if (this.#discarded > MAX_DISCARDED_BYTES) this.#end()
  }

  onMessageEnd(trailers: Fields | undefined): void {
    const exchange = this.#exchange
    if (exchange === undefined) {
      // A tunnel was opened: what follows is its first request, or not ours to read.
      if (!this.#ending.isBegun && this.#tunnel === undefined) this.#reader.next()
      return
    }
    exchange.isRequestEnded = true
    if (exchange.isAnswerEnded) this.#onExchangeEnd()
    else exchange.handler.end(trailers)
  }

  // From the exchange

  mustClose(): void {
    this.#isLast = true
  }

  onAnswered(exchange: ServerExchange): void {
    if (exchange !== this.#exchange) return
    if (exchange.isRequestEnded || this.#isLast) {
      this.#onExchangeEnd()
      return
    }
    this.#silence.onEarlyAnswer()
    this.onResumeRequest() // the rest of the request is dropped as it comes
  }

  onBroken(exchange: ServerExchange): void {
    if (exchange !== this.#exchange) return
    this.#exchange = undefined
    this.#reader.stop()
    this.#ending.reset()
  }

  onPauseRequest(): void {
    this.#isBodyPaused = true
    this.#socket.pause()
  }

  onResumeRequest(): void {
    if (!this.#isBodyPaused) return
    this.#isBodyPaused = false
    this.#socket.resume()
  }

  onTunnelled(): void {
    this.#silence.onTunnelled()
  }

  // From the output

  onBlocked(): void {
    this.#exchange?.handler.pause()
  }

  onUnblocked(): void {
    this.#exchange?.handler.resume()
    if (this.#isWaitingToProceed) this.#proceed()
  }

  #onExchangeEnd(): void {
    this.#exchange = undefined
    this.#silence.onExchangeEnd()
    this.#isBodyPaused = false
    // Who pipelines requests without reading the answers gets no more of them than its socket takes.
    this.#isWaitingToProceed = this.output.isBlocked && !this.#isLast
    if (!this.#isWaitingToProceed) this.#proceed()
  }

  /** On to the next request, some of which may have come already. */
  #proceed(): void {
    this.#isWaitingToProceed = false
    if (this.#isLast) {
      this.#end()
      return
    }
    if (this.#socket.isPaused()) this.#socket.resume()
    try {
      this.#reader.next()
      this.#afterRead()
    } catch (error) {
      this.#reject(MeshError.from(error))
    }
  }

  #openTunnel(authority: string): void {
    const { openTunnel } = this.#options
    if (openTunnel === undefined || this.heads.tunnelAuthority !== undefined)
      throw new MeshError('not_implemented', 'expected no CONNECT here')
    this.#tunnel = openTunnel(authority)
    if (this.#tunnel !== undefined) return
    this.heads.tunnelAuthority = authority
    this.output.text(interimText(200, []))
  }

  /** Answers what cannot be read, and ends: nobody knows where the next request would begin. */
  #reject(error: MeshError): void {
    const exchange = this.#exchange
    this.#options.onRejected(error)
    this.#reader.stop()
    this.#isLast = true
    this.#exchange = undefined
    if (exchange !== undefined && !exchange.isAnswerEnded) {
      const { isAnswerStarted } = exchange
      exchange.isAnswerEnded = true
      exchange.handler.cancel(error)
      if (isAnswerStarted) {
        this.#ending.reset()
        return
      }
    }
    if (exchange?.isAnswerStarted !== true) this.output.text(problemText(error))
    this.#end()
  }

  #end(): void {
    if (this.#ending.isBegun) return
    this.#reader.stop()
    this.#exchange = undefined
    this.output.flush()
    this.#ending.begin(this.#options.limits.idleTimeoutMs)
  }
}
