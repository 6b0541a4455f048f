/** A pass over everything that is to be as resources say; again on a change, again after a failure. One at a time, and never two for many changes. */

export interface PassesOptions {
  /** Resolves to true if all is as it should be, false where it has to be tried again. Never rejects. */
  readonly pass: () => Promise<boolean>
  /** Each calls its listener on a change, and returns what ends that. */
  readonly onChange: readonly ((listener: () => void) => () => void)[]
  /** After a pass that left nothing to do; undefined: only a change brings another. */
  readonly resyncMs?: number
}

export interface Passes {
  /** Resolves with the first of them. */
  readonly first: Promise<void>
  /** Resolves when the one that is under way has ended; there are no more. */
  close(): Promise<void>
}

const FIRST_RETRY_MS = 250
/** A broker restarts in seconds; asking four times a minute costs nothing. */
const MAX_RETRY_MS = 15_000

/** Starts at once; ends with `close`. */
export function startPasses({ pass, onChange, resyncMs }: PassesOptions): Passes {
  let failures = 0
  let closed = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let again = false

  async function loop(): Promise<void> {
    do {
      again = false
      failures = (await pass()) ? 0 : failures + 1
    } while (again && !closed)
    running = undefined
    schedule(failures === 0 ? resyncMs : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS))
  }

  function schedule(delayMs: number | undefined): void {
    clearTimeout(timer)
    if (closed || delayMs === undefined) return
    timer = setTimeout(run, delayMs)
    timer.unref()
  }

  /** A change during a pass makes another one, however many changes there were. */
  function run(): void {
    clearTimeout(timer)
    if (closed) return
    if (running === undefined) running = loop()
    else again = true
  }

  const unsubscribe = onChange.map((listen) => listen(run))
  run()
  return {
    first: running ?? Promise.resolve(),
    close: async () => {
      closed = true
      for (const end of unsubscribe) end()
      clearTimeout(timer)
      await running
    },
  }
}
