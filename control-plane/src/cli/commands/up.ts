import type { Command } from 'commander'
import { document } from '../document.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import type { Outcome } from '../program.ts'
import type { GlobalOptions } from '../settings.ts'
import { contextFoldersFor, type Mesh, startMesh } from '../up/mesh.ts'
import { findMeshFile, MESH_FILE_NAME } from '../up/mesh-file.ts'
import { ProgressLines } from '../up/progress.ts'
import { onInterrupt } from '../up/signals.ts'
import { next, say } from '../words.ts'

interface UpOptions extends GlobalOptions {
  readonly stateDir?: string
  readonly restart?: true
}

export function addUp(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command('up')
    .argument('[folder|file]', `a folder with a ${MESH_FILE_NAME}, or the file`, '.')
    .option('--state-dir <folder>', 'keys, logs, data of the broker (default: .weft/<name> beside the file)')
    .option('--restart', 'start an app again when it ends by itself, instead of stopping the mesh')
    .action(async (argument: string, _options: unknown, self: Command) => {
      outcome.exitCode = await up(io, argument, self.optsWithGlobals<UpOptions>())
    })
  document(command, {
    description:
      'Start a mesh on this machine from one file: Kafka, control plane, and each service with its sidecar.',
    examples: [
      ['weft up examples/ecommerce', 'from the weft.yaml in that folder'],
      ['KAFKA_BROKERS=localhost:9092 weft up', 'with a broker that runs already'],
      ['weft up --verbose', 'with the logs of all processes'],
    ],
    notes: UP_NOTES,
  })
}

const UP_NOTES = `Ctrl-C stops everything in order; a second one kills it at once. The end of any part stops all of it, with
exit code 1. Broker: KAFKA_BROKERS if set (KAFKA_SECURITY=plaintext|tls|mtls, default plaintext); else Java
and Maven start a real one; else a Docker engine. Logs: <state-dir>/logs.

A weft.yaml:
  name: shop
  resources: ./mesh            # folder(s) of resource files, watched
  kafka: {}                    # settings of the broker; or: none
  services:
    hello:
      command: [node, hello.js]
      port: 3000               # if it is free; handed over as PORT
      ingress: 8080            # a plain port for browsers; or: true
      healthPath: /healthz     # else an open port is enough
      serviceAccount: hello    # also: env, workdir, watch, restart: always`

async function up(io: Io, argument: string, options: UpOptions): Promise<number> {
  const { stateDir, restart, quiet, verbose } = options
  pickFormat(options.output, ['table', 'json'])
  const file = await findMeshFile(argument, io.cwd)
  const lines = new ProgressLines(io.err)
  const stop = new AbortController()
  const kill = new AbortController()
  const close = onInterrupt(
    () => {
      if (quiet !== true) lines.write('Stopping; Ctrl-C again kills everything at once.')
      stop.abort(new CliError('stopped before the mesh was ready'))
    },
    () => kill.abort(),
  )
  try {
    const started = Date.now()
    const mesh = await startMesh({
      file,
      cwd: io.cwd,
      env: io.env,
      signal: stop.signal,
      killSignal: kill.signal,
      preferDefaultPorts: true,
      contextFolders: contextFoldersFor(file, io.cwd),
      ...(stateDir !== undefined && { stateDir }),
      ...(restart === true && { restart: 'always' as const }),
      onProgress: (progress) => {
        if (quiet !== true || progress.state === 'failed') lines.show(progress)
      },
      onLog: (part, line) => {
        if (verbose === true) lines.write(`${io.err.paint('dim', `${part} |`)} ${line}`)
      },
    })
    lines.settle()
    sayWhere(io, options, mesh, Date.now() - started)
    const error = await mesh.ended
    lines.settle()
    if (error !== undefined) throw error
    say(io, options, `${mesh.name} has stopped`)
    return EXIT.ok
  } finally {
    close()
  }
}

function sayWhere(io: Io, options: GlobalOptions, mesh: Mesh, ms: number): void {
  if (options.output === 'json') io.out.write(toJson(viewOf(mesh)))
  const url = (text: string) => io.err.paint('cyan', text)
  const rows = [...mesh.services.values()]
    .filter((service) => service.ingressUrl !== undefined)
    .map((service): [string, string] => [service.name, service.ingressUrl ?? ''])
  rows.push(['dashboard', `${mesh.controlPlaneUrl}/`])
  if (mesh.kafka !== undefined)
    rows.push(['kafka', `${mesh.kafka.bootstrapServers.join(',')} (${mesh.kafka.security})`])
  say(io, options, `\n${mesh.name} is ready after ${(ms / 1000).toFixed(1)} s. Ctrl-C stops it.\n`)
  for (const [name, where] of rows) say(io, options, `  ${name.padEnd(26)} ${url(where)}`)
  say(io, options, '')
  next(io, options, 'weft status (in another terminal)')
}

/** The one JSON document of `weft up -o json`, written when the mesh is ready. */
function viewOf({ name, stateDir, controlPlaneUrl, kafka, services }: Mesh): unknown {
  return {
    name,
    stateDir,
    controlPlaneUrl,
    ...(kafka !== undefined && {
      kafka: { bootstrapServers: kafka.bootstrapServers, security: kafka.security },
    }),
    services: [...services.values()].map((service) => ({
      ...service.view(),
      ingressUrl: service.ingressUrl,
    })),
  }
}
