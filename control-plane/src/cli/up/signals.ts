import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Calls `first` at the first signal that asks this process to end, `second` at the next. Returns the function that ends it. */
export function onInterrupt(first: (signal: NodeJS.Signals) => void, second: () => void): () => void {
  let count = 0
  const listener = (signal: NodeJS.Signals): void => {
    count++
    if (count === 1) first(signal)
    else second()
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}

/** 128 and the number of the signal, as shells say it. */
export const exitCodeOf = (exit: {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}): number => exit.code ?? 128 + (exit.signal === null ? 0 : constants.signals[exit.signal])
