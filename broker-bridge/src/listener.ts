/** What every listener of a process is to the one that composes it. */
export interface Listener {
  readonly port: number
  /** Stops accepting, lets work in flight end up to the deadline, then closes everything. Resolves when nothing is left. */
  drain(deadlineMs: number): Promise<void>
}
