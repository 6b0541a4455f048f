import { connect } from 'node:net'

/** Between two looks at an app that does not listen; the first ones come sooner, a service starts in about this time. */
const PROBE_FIRST_MS = 50
const PROBE_MAX_MS = 500
const PROBE_CONNECT_MS = 1_000

/**
 * Does the app listen? Shut at first and whenever a delivery is refused a connection; open again when the app accepts one.
 * Nothing is delivered through a shut gate and no attempt is counted, so a stopped app never sends its backlog to the dead letter.
 */
export class AppGate {
  readonly #port: number
  readonly #listeners = new Set<() => void>()
  #open = false
  #probing = false
  #closed = false

  constructor(port: number) {
    this.#port = port
    void this.#probe()
  }

  get isOpen(): boolean {
    return this.#open
  }

  /** A delivery found nobody listening. */
  shut(): void {
    this.#open = false
    void this.#probe()
  }

  /** Runs each time the gate opens; returns the function that ends it. */
  onOpen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves true when the gate is open, false when the signal aborts first. */
  whenOpen(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    if (this.#open) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (open: boolean) => {
        end()
        signal.removeEventListener('abort', onAbort)
        resolve(open)
      }
      const onAbort = () => settle(false)
      const end = this.onOpen(() => settle(true))
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  close(): void {
    this.#closed = true
    this.#listeners.clear()
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
    if (this.#closed) return
    this.#open = true
    for (const listener of [...this.#listeners]) listener()
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
