import type { Contestant } from './contestant.ts'
import type { Outcome } from './rounds.ts'
import type { Figures } from './suites/suite.ts'

/** A contestant with the medians over its rounds. */
export interface Row {
  readonly contestant: Contestant
  readonly median: Figures
}

/** Those that finished at least one round. */
export function rowsOf({ figures }: Outcome): readonly Row[] {
  return [...figures]
    .filter(([, rounds]) => rounds.length > 0)
    .map(([contestant, rounds]) => ({ contestant, median: medianOf(rounds) }))
}

export function medianOf(rounds: readonly Figures[]): Figures {
  const keys = Object.keys(rounds[0] ?? {}) as (keyof Figures)[]
  const entries = keys.map((key) => [key, median(rounds.map((round) => round[key] ?? 0))])
  return Object.fromEntries(entries) as Figures
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
