/** Is there anybody who takes deliveries? Through a shut gate nothing is delivered, nothing is fetched, and no attempt is counted. */
export class Gate {
  readonly #listeners = new Set<() => void>()
  #isOpen = false

  get isOpen(): boolean {
    return this.#isOpen
  }

  open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    for (const listener of [...this.#listeners]) listener()
  }

  /** A delivery found nobody. */
  shut(): void {
    this.#isOpen = false
  }

  /** Runs each time the gate opens; returns the function that ends it. */
  onOpen(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Resolves true when the gate is open, false when one of the signals aborts first. */
  whenOpen(signals: readonly AbortSignal[]): Promise<boolean> {
    if (signals.some(({ aborted }) => aborted)) return Promise.resolve(false)
    if (this.#isOpen) return Promise.resolve(true)
    return new Promise((resolve) => {
      const settle = (open: boolean) => {
        end()
        for (const signal of signals) signal.removeEventListener('abort', onAbort)
        resolve(open)
      }
      const onAbort = () => settle(false)
      const end = this.onOpen(() => settle(true))
      // Not AbortSignal.any: this is waited for once a record where a stream has few credits.
      for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  close(): void {
    this.#listeners.clear()
  }
}
