/** Entry of the `weft` command: reads the command line, runs one command, and turns whatever happens into an exit code. */
import { CommanderError } from 'commander'
import { CliError, formatFault, messageOf } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { type Io, ownArguments, processIo } from './io.ts'
import { buildProgram } from './program.ts'

/** Runs one command line (without node and script). Never throws; the result is the exit code. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  const outcome = { exitCode: EXIT.ok as number }
  try {
    const program = buildProgram(io, outcome)
    if (argv.length === 0) {
      program.outputHelp()
      return EXIT.ok
    }
    await program.parseAsync(argv, { from: 'user' })
    return outcome.exitCode
  } catch (error) {
    // commander has printed its own message; help and version end with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    return report(error, io, ownArguments(argv))
  }
}

function report(error: unknown, io: Io, argv: readonly string[]): number {
  const verbose = argv.includes('-v') || argv.includes('--verbose')
  const known = error instanceof CliError ? error : undefined
  io.err.write(`${io.err.paint('red', 'error:')} ${messageOf(error)}\n`)
  for (const fault of known?.faults ?? []) io.err.write(`  ${formatFault(fault)}\n`)
  for (const line of known?.quote ?? []) io.err.write(`  ${io.err.paint('dim', '|')} ${line}\n`)
  if (known === undefined)
    io.err.write('This is a fault of Weft. Please report it with the output of --verbose.\n')
  else if (known.hint !== undefined) io.err.write(`${known.hint}\n`)
  if (verbose) io.err.write(`${stackOf(error)}\n`)
  return known?.exitCode ?? EXIT.failed
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`
  return `${error.stack ?? error.message}${cause}`
}

/** Runs the command line of this process and sets its exit code. */
export async function runProcess(): Promise<void> {
  const argv = process.argv.slice(2)
  process.exitCode = await main(argv, processIo(argv))
}

if (import.meta.main) await runProcess()
