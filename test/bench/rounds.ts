/** Every contestant once per round: what the machine does in the meantime, it does to all of them. */
import { type Contestant, Missing } from './contestant.ts'
import type { BenchOptions } from './options.ts'
import type { Figures, Suite } from './suites/suite.ts'

export interface Outcome {
  /** Rounds of each contestant, in the order of the suite. */
  readonly figures: ReadonlyMap<Contestant, readonly Figures[]>
  /** What could not be had, and how to get it; what failed, and why. */
  readonly skipped: readonly string[]
}

export async function runRounds(suite: Suite, { rounds, seconds, only }: BenchOptions): Promise<Outcome> {
  const skipped: string[] = []
  await suite.tools()
  const contestants = await prepare(suite, only, skipped)
  const figures = new Map<Contestant, Figures[]>(contestants.map((contestant) => [contestant, []]))

  await using backend = await suite.startBackend()
  for (let round = 1; round <= rounds; round++)
    for (const [contestant, taken] of figures) {
      try {
        await using running = await contestant.start(backend)
        const now = await suite.measure(running, seconds)
        taken.push(now)
        process.stderr.write(`${round}/${rounds} ${contestant.name} ${JSON.stringify(rounded(now))}\n`)
      } catch (error) {
        skipped.push(
          `${contestant.name}, round ${round}: ${error instanceof Error ? error.message : String(error)}`,
        )
        process.stderr.write(`${skipped.at(-1)}\n`)
      }
    }
  return { figures, skipped }
}

async function prepare(
  { entries }: Suite,
  only: BenchOptions['only'],
  skipped: string[],
): Promise<readonly Contestant[]> {
  const contestants: Contestant[] = []
  for (const entry of entries) {
    try {
      const contestant = await entry()
      if (only === undefined || only.has(contestant.name)) contestants.push(contestant)
    } catch (error) {
      if (!(error instanceof Missing)) throw error
      skipped.push(error.message)
    }
  }
  return contestants
}

const rounded = (figures: Figures): object =>
  Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, Math.round(value * 1000) / 1000]))
