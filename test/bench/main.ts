/** `npm run bench -- http`: side by side with whatever peers this machine can have. See RESULTS.md for the method. */
import { Missing } from './contestant.ts'
import { whyUnpinned } from './cores.ts'
import { type BenchOptions, benchOptions, USAGE } from './options.ts'
import { jsonLine, writeResults } from './results.ts'
import { runRounds } from './rounds.ts'
import { SUITES } from './suites/index.ts'

async function main(): Promise<void> {
  const options = readOptions()
  const unpinned = await whyUnpinned()
  if (unpinned !== undefined)
    process.stderr.write(`nothing is pinned to a core, so that figures are less sure: ${unpinned}\n`)
  const outcome = await runRounds(SUITES[options.suite], options)
  process.stdout.write(`${await writeResults(options, outcome)}\n`)
  if (options.json) process.stdout.write(`${jsonLine(options, outcome)}\n`)
}

function readOptions(): BenchOptions {
  try {
    return benchOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`)
    process.exit(2)
  }
}

// The children of this process end with it: see endWithBench.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

main().catch((error: unknown) => {
  if (error instanceof Missing) process.stderr.write(`cannot run: ${error.message}\n`)
  else process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
