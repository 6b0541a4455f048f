/**
 * The app behind every gRPC contestant: answers any unary call with the message that came. On the frame layer of the sidecar,
 * because a server of a gRPC library would spend more on its core than the sidecars do on theirs, and hide them.
 */
import { createServer } from 'node:net'
import { ANONYMOUS } from '../../../sidecar/src/inbound/peer.ts'
import {
  type RequestHandler,
  type ResponseHandler,
  type Service,
  UNKNOWN_LENGTH,
} from '../../../sidecar/src/transport/exchange.ts'
import { DEFAULT_LIMITS } from '../../../sidecar/src/transport/http1/limits.ts'
import { Http2ServerConnection } from '../../../sidecar/src/transport/http2/server-connection.ts'

const echo: Service = {
  call: (_head, response) => new Echo(response),
}

class Echo implements RequestHandler {
  readonly #response: ResponseHandler

  constructor(response: ResponseHandler) {
    this.#response = response
    response.onHead({ status: 200, fields: ['content-type', 'application/grpc'], length: UNKNOWN_LENGTH })
  }
  data(chunk: Buffer): void {
    this.#response.onData(chunk)
  }
  end(): void {
    this.#response.onEnd(['grpc-status', '0'])
  }
  cancel(): void {}
  pause(): void {
    this.#response.onPause()
  }
  resume(): void {
    this.#response.onResume()
  }
}

const options = {
  service: echo,
  peer: ANONYMOUS,
  limits: DEFAULT_LIMITS,
  acceptsAbsoluteForm: false,
  onRejected() {},
}
createServer({ noDelay: true }, (socket) => new Http2ServerConnection(socket, options)).listen(
  Number(process.env.PORT),
  '127.0.0.1',
)
