import type { Kind } from '@weft/schemas/resources'
import type { Command } from 'commander'
import { agrees } from '../agrees.ts'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { parseKind, resourcePath } from '../resource-views.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { readSources } from '../source-files.ts'

interface DeleteOptions extends GlobalOptions {
  readonly filename?: readonly string[]
  readonly yes?: true
}

interface Named {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
}

export function addDelete(program: Command, io: Io): void {
  const command = program
    .command('delete')
    .argument('[kind]', 'kind of the resource')
    .argument('[names...]', 'names of resources')
    .option('-f, --filename <paths...>', 'the resources of these files and folders; - for standard input')
    .option('-y, --yes', 'do not ask; needed where there is nobody to ask')
    .action(async (kind: string | undefined, names: readonly string[], _options: unknown, self: Command) =>
      remove(io, kind, names, self.optsWithGlobals<DeleteOptions>()),
    )
  document(command, {
    description: 'Delete resources. Topics and their records in Kafka stay.',
    examples: [
      ['weft delete accesspolicy orders', 'asks first'],
      ['weft delete -f policies/orders.yaml --yes', 'in a script'],
    ],
    notes:
      'JSON: {"results": [{"kind", "namespace", "name", "result": "deleted|absent"}]}. Exit code 1 if one was not there.',
  })
}

async function remove(
  io: Io,
  kind: string | undefined,
  names: readonly string[],
  options: DeleteOptions,
): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json', 'name'])
  const targets = await targetsOf(io, kind, names, options)
  await confirm(io, targets, options)
  const client = await connect(io, options)
  const results: (Named & { result: 'deleted' | 'absent' })[] = []
  for (const target of targets) {
    const was = await client.delete(resourcePath(target.kind, target.namespace, target.name))
    results.push({ ...target, result: was ? 'deleted' : 'absent' })
    const short = `${target.kind.toLowerCase()}/${target.name}`
    if (was && format === 'table') io.out.write(`${short} deleted\n`)
    if (was && format === 'name') io.out.write(`${short}\n`)
  }
  if (format === 'json') io.out.write(toJson({ results }))
  const absent = results.filter(({ result }) => result === 'absent')
  if (absent.length > 0)
    throw new CliError(
      `not there: ${absent.map((each) => `${each.kind.toLowerCase()} ${each.namespace}/${each.name}`).join(', ')}`,
      {
        hint: 'See what there is with `weft get all -A`.',
      },
    )
}

async function targetsOf(
  io: Io,
  kind: string | undefined,
  names: readonly string[],
  { filename, namespace = 'default' }: DeleteOptions,
): Promise<readonly Named[]> {
  if (filename !== undefined) {
    if (kind !== undefined) throw usageError('name resources by kind and name or by -f, not both')
    const files = await readSources(io, filename)
    return files.flatMap(({ entries }) =>
      entries.map(({ read: { resource } }) => ({
        kind: resource.kind,
        namespace: resource.metadata.namespace,
        name: resource.metadata.name,
      })),
    )
  }
  if (kind === undefined || names.length === 0)
    throw usageError('which resource? As in: weft delete topic orders', 'Or name files with -f.')
  const known = parseKind(kind)
  return names.map((name) => ({ kind: known, namespace, name }))
}

async function confirm(io: Io, targets: readonly Named[], options: DeleteOptions): Promise<void> {
  if (options.yes === true) return
  const names = targets.map(({ kind, namespace, name }) => `  ${kind.toLowerCase()} ${namespace}/${name}`)
  const isTyped = options.filename?.includes('-') !== true
  if (!(await agrees(io, ['This deletes:', ...names], 'Delete?', isTyped)))
    throw new CliError('nothing was deleted')
}
