import {
  type Api,
  type BodyPlace,
  decodeRequest,
  decodeResponse,
  encodeResponse,
  type RequestHeader,
  readRequestHeader,
  responseBodyAt,
  withBody,
} from '../wire/api.ts'
import { FrameMemory } from '../wire/frame-memory.ts'

/** Runs on the answer before the client gets it, in the order of the stages. A promise holds this and all later answers back. */
export type AnswerHook = (answer: Answer) => undefined | Promise<void>

/** One step of a connection: looks at a request, may change it, answer it or throw to close; may ask to see the answer. */
export type Stage = (exchange: Exchange) => AnswerHook | undefined

/** One request and what becomes of it. The request is a slice of what the client sent until a stage changes it. */
export class Exchange {
  readonly api: Api
  readonly header: RequestHeader
  readonly hooks: AnswerHook[] = []
  /** False for what Kafka does not answer: Produce with acks=0. */
  expectsAnswer = true
  /** False where nothing is left to ask the broker, and there is no answer either. */
  isForwarded = true
  /** The connection ends once this request is written to the broker (acks=0 and something refused, as Kafka does). */
  closesConnection = false
  /** For so long nothing more is read of the client, which has no answer to be told in. */
  muteMs = 0
  #frame: Buffer
  #pieces: readonly Buffer[] | undefined
  readonly #memo = new Memo()
  #answer: Buffer | undefined
  /** What the request lies in; released when it has been written. */
  readonly #memory: FrameMemory[] = []

  /** `memory`: of the frame, held for this exchange. */
  constructor(api: Api, frame: Buffer, memory?: FrameMemory) {
    this.api = api
    this.header = readRequestHeader(frame, api)
    this.#frame = frame
    if (memory !== undefined) this.#memory.push(memory)
  }

  /** Memory of at least so many bytes for a part of the request that is written anew. */
  readonly allocate = (bytes: number): Buffer => {
    const memory = FrameMemory.take(bytes)
    this.#memory.push(memory)
    return memory.buffer
  }

  get version(): number {
    return this.header.apiVersion
  }

  get frame(): Buffer {
    return this.#frame
  }

  /** Header length does not change: whatever replaces the frame keeps the header's bytes. */
  get place(): BodyPlace {
    return { version: this.version, bodyAt: this.header.bodyAt }
  }

  replace(frame: Buffer): void {
    this.#frame = frame
  }

  /** Sends these pieces in place of the frame: for the last stage that changes it, there is no frame to read after that. */
  replaceByPieces(pieces: readonly Buffer[]): void {
    this.#pieces = pieces
  }

  /** What goes to the broker. */
  get pieces(): readonly Buffer[] {
    return this.#pieces ?? [this.#frame]
  }

  /** What gives the memory of the request back, for when the socket has taken all of it; undefined where it lies in none. */
  memoryRelease(): (() => void) | undefined {
    const memory = this.#memory
    if (memory.length === 0) return undefined
    return () => {
      for (const each of memory) each.release()
    }
  }

  /** Lets the request's bytes go once they are written; the exchange lives on until its answer. */
  release(): void {
    this.#frame = EMPTY
    this.#pieces = undefined
    this.#memo.clear()
  }

  /** What `walk` finds in the request as it stands, walked once. One request is only ever walked by one function. */
  layout<T>(walk: (frame: Buffer, place: BodyPlace) => T): T {
    return this.#memo.get(this.#frame, () => walk(this.#frame, this.place))
  }

  read<Request>(api: Api<Request, unknown>): Request {
    return this.#memo.get(this.#frame, () => decodeRequest(api, this.#frame, this.place))
  }

  write<Request>(api: Api<Request, unknown>, message: Request): void {
    this.#frame = withBody(api, api.request, this.#frame, { ...this.place, message })
  }

  /** Answers here; the broker does not see the request, and the stages that follow do not run. */
  answer<Response>(api: Api<unknown, Response>, message: Response, version = this.version): void {
    this.#answer = encodeResponse(api, { version, correlationId: this.header.correlationId, message })
  }

  /** The answer that was made here. */
  get localAnswer(): Buffer | undefined {
    return this.#answer
  }
}

const EMPTY = Buffer.alloc(0)

/** One value found in a frame, as long as it is that frame. */
class Memo {
  #frame: Buffer | undefined
  #value: unknown

  get<T>(frame: Buffer, find: () => T): T {
    if (this.#frame !== frame) {
      this.#value = find()
      this.#frame = frame
    }
    return this.#value as T
  }

  clear(): void {
    this.#frame = undefined
    this.#value = undefined
  }
}

/** The answer of one exchange: decoded once at most, encoded again only if a hook changed it. */
export class Answer {
  readonly api: Api
  readonly version: number
  /** For so long nothing more is read of the client once it has this answer. */
  muteMs = 0
  #frame: Buffer
  #bodyAt = -1
  #message: unknown
  #isChanged = false
  readonly #memo = new Memo()

  constructor(api: Api, version: number, frame: Buffer) {
    this.api = api
    this.version = version
    this.#frame = frame
  }

  get place(): BodyPlace {
    if (this.#bodyAt === -1) this.#bodyAt = responseBodyAt(this.#frame, this.api, this.version)
    return { version: this.version, bodyAt: this.#bodyAt }
  }

  /** The message, for reading and, followed by `changed`, for writing. `api` is this answer's own. */
  message<Response>(api: Api<unknown, Response>): Response {
    this.#message ??= decodeResponse(api, this.#frame, this.place)
    return this.#message as Response
  }

  changed(): void {
    this.#isChanged = true
  }

  /** What `walk` finds in the answer as it stands, walked once. One answer is only ever walked by one function. */
  layout<T>(walk: (frame: Buffer, place: BodyPlace) => T): T {
    const frame = this.frame()
    return this.#memo.get(frame, () => walk(frame, this.place))
  }

  /** The bytes as they stand now. */
  frame(): Buffer {
    if (this.#isChanged) {
      this.#frame = withBody(this.api, this.api.response, this.#frame, {
        ...this.place,
        message: this.#message,
      })
      this.#isChanged = false
    }
    return this.#frame
  }
}
