import type { Command } from 'commander'
import { document } from '../document.ts'
import { usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import type { Outcome } from '../program.ts'
import { clientFor, findTarget, type GlobalOptions } from '../settings.ts'
import { runInMesh } from '../up/run.ts'
import { say } from '../words.ts'

interface RunOptions extends GlobalOptions {
  readonly name: string
  readonly port?: number
  readonly serviceAccount?: string
  readonly ingress?: true
}

export function addRun(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command('run')
    .argument('<command...>', 'the command and its arguments, after --')
    .requiredOption('--name <name>', 'name of the service in the mesh')
    .option('--port <port>', 'where the app listens; else any free one. Handed over as PORT', parsePort)
    .option('--service-account <name>', 'its identity (default: its name)')
    .option('--ingress', 'open a plain port for callers without identity, such as a browser')
    .action(async (words: readonly string[], _options: unknown, self: Command) => {
      outcome.exitCode = await run(io, words, self.optsWithGlobals<RunOptions>())
    })
  document(command, {
    description:
      'Run a command as a service of the running mesh: with a sidecar, an identity, and a name that others can call.',
    examples: [
      ['weft run --name hello --port 3000 -- node hello.js', 'an app that listens'],
      [
        'weft run --name tail --service-account billing-service -- node consumer.js',
        'one that only consumes',
      ],
    ],
    notes:
      'The command finds PORT, HTTP_PROXY, WEFT_OUTBOUND_URL, WEFT_EVENTS_URL, WEFT_EVENTS_GRPC_TARGET and WEFT_KAFKA_BOOTSTRAP in its\nenvironment. Its exit code is that of weft (128 and the number of the signal that ended it); 1 too if it could not be started.',
  })
}

async function run(io: Io, words: readonly string[], options: RunOptions): Promise<number> {
  const [program, ...args] = words
  if (program === undefined) throw usageError('which command? As in: weft run --name hello -- node hello.js')
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(options.name))
    throw usageError(
      `--name: expected lower-case letters, digits and dashes, came ${JSON.stringify(options.name)}`,
    )
  const target = await findTarget(io, options)
  return await runInMesh({
    command: [program, ...args],
    name: options.name,
    namespace: options.namespace ?? 'default',
    serviceAccount: options.serviceAccount ?? options.name,
    port: options.port,
    ingress: options.ingress === true,
    cwd: io.cwd,
    env: io.env,
    isTty: io.stdin.isTTY === true,
    client: clientFor(target, options),
    grpcAddress: target.grpcAddress,
    say: (line) => say(io, options, line),
  })
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port < 1 || port > 65_535) throw usageError(`--port: expected 1 to 65535, came ${JSON.stringify(text)}`)
  return port
}
