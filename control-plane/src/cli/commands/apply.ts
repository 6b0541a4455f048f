import type { Command } from 'commander'
import type { FileState } from '../../source/file-state.ts'
import { document } from '../document.ts'
import { CliError, type Fault, formatFault } from '../errors.ts'
import type { Io, Style } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { inputsOf, readSources } from '../source-files.ts'
import { next, say } from '../words.ts'

interface ApplyOptions extends GlobalOptions {
  readonly filename: readonly string[]
  readonly dryRun?: true
}

interface ApplyAnswer {
  readonly version: number
  readonly results: readonly {
    readonly kind: string
    readonly namespace: string
    readonly name: string
    readonly result: 'created' | 'replaced' | 'unchanged'
  }[]
  readonly warnings?: readonly Fault[]
}

export function addApply(program: Command, io: Io): void {
  const command = program
    .command('apply')
    .requiredOption('-f, --filename <paths...>', 'files, folders, or - for standard input')
    .option('--dry-run', 'say what would change, and change nothing')
    .action(async (_options: unknown, self: Command) => apply(io, self.optsWithGlobals<ApplyOptions>()))
  document(command, {
    description: 'Create or replace resources: all of them, or none if one has a fault.',
    examples: [
      ['weft apply -f policies/orders.yaml', 'one file'],
      ['weft apply -f mesh --dry-run', 'what a folder would change'],
      ['cat orders.yaml | weft apply -f -', 'from standard input'],
    ],
    notes:
      'JSON: {"version", "results": [{"kind", "namespace", "name", "result": "created|replaced|unchanged"}]}.',
  })
}

const STYLES: Readonly<Record<string, Style>> = { created: 'green', replaced: 'yellow', unchanged: 'gray' }

async function apply(io: Io, options: ApplyOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json', 'name'])
  const files = await readSources(io, options.filename)
  const client = await connect(io, options)
  const query = { dryRun: options.dryRun === true ? 'true' : undefined }
  const [only, ...others] = files
  const isOneFile = only !== undefined && others.length === 0
  const body = isOneFile ? only.text : JSON.stringify(inputsOf(files))
  const answer = await client
    .sendYaml<ApplyAnswer>('PUT', '/api/v1/resources', body, query)
    .catch((error: unknown) => {
      throw isOneFile ? inFile(error, only) : error
    })
  const { version, results, warnings = [] } = answer
  if (format === 'json') io.out.write(toJson({ version, results }))
  for (const { kind, name, result } of results) {
    const short = `${kind.toLowerCase()}/${name}`
    if (format === 'name') io.out.write(`${short}\n`)
    if (format === 'table')
      io.out.write(
        `${short} ${io.out.paint(STYLES[result] ?? 'bold', result)}${options.dryRun === true ? ' (dry run)' : ''}\n`,
      )
  }
  for (const warning of warnings)
    say(io, options, `${io.err.paint('yellow', 'warning:')} ${formatFault(warning)}`)
  next(io, options, options.dryRun === true ? 'the same without --dry-run' : 'weft status')
}

/** The control plane calls what it was sent `body`; the person calls it by its file. */
function inFile(error: unknown, file: FileState): unknown {
  if (!(error instanceof CliError) || error.faults.length === 0) return error
  return new CliError(error.message, {
    faults: error.faults.map((fault) => (fault.file === 'body' ? { ...fault, file: file.path } : fault)),
    ...(error.hint !== undefined && { hint: error.hint }),
    cause: error,
  })
}
