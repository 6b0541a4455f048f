import { connect } from 'node:net'
import { Gate } from './gate.ts'

/** Between two looks at an app that does not listen; the first ones come sooner, a service starts in about this time. */
const PROBE_FIRST_MS = 50
const PROBE_MAX_MS = 500
const PROBE_CONNECT_MS = 1_000

/**
 * Does the app listen? Shut at first and whenever a delivery is refused a connection; open again when the app accepts one.
 * So a stopped app never sends its backlog to the dead letter.
 */
export class AppGate extends Gate {
  readonly #port: number
  #probing = false
  #closed = false

  constructor(port: number) {
    super()
    this.#port = port
    void this.#probe()
  }

  override shut(): void {
    super.shut()
    void this.#probe()
  }

  override close(): void {
    this.#closed = true
    super.close()
  }

  async #probe(): Promise<void> {
    if (this.#probing) return
    this.#probing = true
    for (
      let waitMs = PROBE_FIRST_MS;
      !this.#closed && !(await accepts(this.#port));
      waitMs = Math.min(PROBE_MAX_MS, waitMs * 2)
    )
      await new Promise((resolve) => setTimeout(resolve, waitMs).unref())
    this.#probing = false
    if (!this.#closed) this.open()
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PROBE_CONNECT_MS })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('timeout', () => settle(false))
    socket.once('error', () => settle(false))
  })
}
