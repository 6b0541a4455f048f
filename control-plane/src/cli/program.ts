import { Command, type Help } from 'commander'
import { addAcls } from './commands/acls.ts'
import { addApply } from './commands/apply.ts'
import { addCan } from './commands/can.ts'
import { addCapture } from './commands/capture.ts'
import { addDashboard } from './commands/dashboard.ts'
import { addDelete } from './commands/delete.ts'
import { addDlq } from './commands/dlq.ts'
import { addGet } from './commands/get.ts'
import { addCerts, addToken } from './commands/issue.ts'
import { addRun } from './commands/run.ts'
import { addSchema } from './commands/schema.ts'
import { addServiceCommands } from './commands/service.ts'
import { addStatus } from './commands/status.ts'
import { addTopics } from './commands/topics.ts'
import { addTrace } from './commands/trace.ts'
import { addUp } from './commands/up.ts'
import { addValidate } from './commands/validate.ts'
import { addVersion, softwareVersion } from './commands/version.ts'
import { DOCS_PAGE, document } from './document.ts'
import { EXIT_MEANING } from './exit-codes.ts'
import type { Io } from './io.ts'
import { OUTPUT_FORMATS } from './output/format.ts'
import { parseTimeout } from './settings.ts'

/** A command sets its exit code here where it is neither 0 nor an error that was thrown. */
export interface Outcome {
  exitCode: number
}

/** The whole command line as commander knows it: what runs, what `--help` says and what the reference page is made of. */
export function buildProgram(io: Io, outcome: Outcome): Command {
  const program = new Command('weft')
  configure(program, io)
  addGlobalOptions(program)
  document(program, {
    description: 'One sidecar per service for HTTP and Kafka: one identity, one policy, one trace.',
    examples: [
      ['weft up examples/ecommerce', 'start a mesh from its weft.yaml'],
      ['weft can billing-service consume orders', 'may it, and which policy says so'],
      ['weft trace', 'the latest traces'],
    ],
    notes: `Exit codes:\n${Object.entries(EXIT_MEANING)
      .map(([code, meaning]) => `  ${code}  ${meaning}`)
      .join('\n')}`,
  })

  addUp(program, io, outcome)
  addRun(program, io, outcome)
  addServiceCommands(program, io)
  addApply(program, io)
  addGet(program, io)
  addDelete(program, io)
  addValidate(program, io, outcome)
  addCan(program, io, outcome)
  addStatus(program, io, outcome)
  addTrace(program, io)
  addDlq(program, io)
  addSchema(program, io, outcome)
  addTopics(program, io)
  addAcls(program, io)
  addCapture(program, io)
  addToken(program, io)
  addCerts(program, io)
  addDashboard(program, io)
  addVersion(program, io)
  return program
}

function configure(program: Command, io: Io): void {
  program
    .version(softwareVersion(), '--version', 'print the version')
    .exitOverride()
    .showHelpAfterError(`Help: weft --help · ${DOCS_PAGE}`)
    .helpCommand('help [command]', 'help for a command')
    .configureHelp({
      showGlobalOptions: true,
      styleTitle: (title) => io.out.paint('bold', title),
      formatItem,
    })
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, io.err.paint('red', 'error: '))),
      getOutHelpWidth: () => io.out.columns,
      getErrHelpWidth: () => io.err.columns,
      getOutHasColors: () => true,
      getErrHasColors: () => true,
    })
}

/** commander's own, but the descriptions of long terms start on the same column as the others. */
function formatItem(term: string, termWidth: number, description: string, helper: Help): string {
  const padded = term.padEnd(termWidth + term.length - helper.displayWidth(term))
  return description === ''
    ? `  ${term}`
    : `  ${padded}  ${helper.boxWrap(description, 70).replaceAll('\n', `\n${' '.repeat(termWidth + 4)}`)}`
}

function addGlobalOptions(program: Command): void {
  program
    .option('-o, --output <format>', `${OUTPUT_FORMATS.join(', ')}; each command says which it knows`)
    .option('-n, --namespace <name>', 'namespace of what is named (default: default)')
    .option('-q, --quiet', 'no words on stderr but errors')
    .option('-v, --verbose', 'more words: causes of errors, logs of `weft up`')
    .option('--no-color', 'no colours (so does NO_COLOR)')
    .option(
      '--control-plane <url>',
      'its HTTP address; else WEFT_CONTROL_PLANE_URL, the mesh of this folder, http://127.0.0.1:15014',
    )
    .option(
      '--token-file <file>',
      'admin token for writes; else WEFT_ADMIN_TOKEN_FILE, that of the mesh of this folder',
    )
    .option(
      '--timeout <time>',
      'for one call of the control plane, as 500ms, 10s or 2m (default: 10s)',
      parseTimeout,
    )
}
