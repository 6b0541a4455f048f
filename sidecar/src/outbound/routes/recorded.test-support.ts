/** Calls a layer by itself and says what came of it: what was handed on inwards, and what was answered. */
import type { MeshError } from '@weft/schemas/error'
import {
  ANSWERED,
  type Fields,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type Service,
} from '../../transport/exchange.ts'

export class RecordedResponse implements ResponseHandler {
  status = 0
  fields: Fields = []
  isEnded = false
  error: MeshError | undefined

  onInterim(): void {}
  onHead(head: { readonly status: number; readonly fields: Fields }): void {
    this.status = head.status
    this.fields = head.fields
  }
  onData(): void {}
  onEnd(): void {
    this.isEnded = true
  }
  onFail(error: MeshError): void {
    this.error = error
  }
  onPause(): void {}
  onResume(): void {}
}

/** Stands for what is behind a layer: keeps the heads that come and answers 200 with these fields at once. */
export class RecordedService implements Service {
  readonly heads: RequestHead[] = []
  readonly #fields: Fields

  constructor(fields: Fields = []) {
    this.#fields = fields
  }

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    this.heads.push(head)
    response.onHead({ status: 200, fields: [...this.#fields], length: 0 })
    response.onEnd(undefined)
    return ANSWERED
  }
}

export function recordedCall(service: Service, head: RequestHead): RecordedResponse {
  const response = new RecordedResponse()
  service.call(head, response).end(undefined)
  return response
}
