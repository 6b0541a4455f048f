import type { Command } from 'commander'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { findTarget, type GlobalOptions, globals } from '../settings.ts'
import { callMesh, type MeshView, VERBS, type Verb } from '../up/control-socket.ts'
import { next, say } from '../words.ts'

const ABOUT: Readonly<Record<Verb, string>> = {
  stop: 'Stop one service of the running mesh: its app, then its sidecar. Events wait in their topics.',
  start: 'Start a service that was stopped.',
  restart: 'Stop a service and start it again.',
}
const DONE: Readonly<Record<Verb, string>> = { stop: 'stopped', start: 'ready', restart: 'ready again' }

/** `weft stop`, `start`, `restart`: they speak to the `weft up` of this folder. */
export function addServiceCommands(program: Command, io: Io): void {
  for (const verb of VERBS) {
    const command = program
      .command(verb)
      .argument('<service>', 'its name in weft.yaml')
      .action((service: string, _options: unknown, self: Command) => act(io, verb, service, globals(self)))
    document(command, {
      description: ABOUT[verb],
      examples: [[`weft ${verb} billing-service`, 'in the folder where `weft up` was started, or below']],
    })
  }
}

async function act(io: Io, verb: Verb, service: string, options: GlobalOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  if (!/^[a-z0-9-]{1,63}$/.test(service))
    throw usageError(`not the name of a service: ${JSON.stringify(service)}`)
  const { context } = await findTarget(io, options)
  if (context === undefined)
    throw new CliError('no mesh was started from this folder or one above it', {
      hint: 'Go to the folder in which `weft up` runs.',
    })
  const mesh = await callMesh<MeshView>(context.socketPath, 'POST', `/services/${service}/${verb}`)
  const view = mesh.services.find(({ name }) => name === service)
  if (format === 'json') io.out.write(toJson(view))
  else say(io, options, `${service} is ${DONE[verb]}`)
  next(io, options, verb === 'stop' ? `weft start ${service}` : 'weft status')
}
