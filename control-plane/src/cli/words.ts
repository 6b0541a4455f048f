import type { Io } from './io.ts'
import type { GlobalOptions } from './settings.ts'

/** A word for the person, on stderr; nothing with --quiet. */
export function say(io: Io, options: Pick<GlobalOptions, 'quiet'>, line: string): void {
  if (options.quiet !== true) io.err.write(`${line}\n`)
}

/** What to do next: at most one line after a command, none beside a form that programs read. */
export function next(io: Io, options: Pick<GlobalOptions, 'quiet' | 'output'>, commandLine: string): void {
  const forProgram = options.output === 'json' || options.output === 'yaml' || options.output === 'name'
  if (!forProgram) say(io, options, `${io.err.paint('dim', 'Next:')} ${commandLine}`)
}
