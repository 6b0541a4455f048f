import { setTimeout as delay } from 'node:timers/promises'
import { KINDS, type Kind } from '@weft/schemas/resources'
import type { Command } from 'commander'
import type { ControlPlaneClient } from '../client.ts'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { type OutputFormat, pickFormat, toJson, toYaml } from '../output/format.ts'
import { renderTable } from '../output/table.ts'
import {
  cellsOf,
  columnsOf,
  labelsText,
  parseKind,
  parseSelector,
  type ResourceList,
  type ResourceView,
  resourcePath,
  shortName,
  sourceText,
} from '../resource-views.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { next, say } from '../words.ts'

interface GetOptions extends GlobalOptions {
  readonly allNamespaces?: true
  readonly selector?: string
  readonly watch?: true
}

export function addGet(program: Command, io: Io): void {
  const command = program
    .command('get')
    .argument('<kind>', `${KINDS.map((kind) => kind.toLowerCase()).join(', ')}, or all`)
    .argument('[name]', 'one resource; without it, all of this kind')
    .option('-A, --all-namespaces', 'of every namespace')
    .option('-l, --selector <labels>', 'only those with these labels: key=value,key!=value,key')
    .option('-w, --watch', 'stay, and print every change')
    .action(async (kind: string, name: string | undefined, _options: unknown, self: Command) =>
      get(io, kind, name, self.optsWithGlobals<GetOptions>()),
    )
  document(command, {
    description: 'Print resources.',
    examples: [
      ['weft get topics', 'all topics of the namespace default'],
      ['weft get accesspolicy orders -o yaml', 'one, as it can be applied again'],
      ['weft get all -A -o name', 'everything there is'],
      ['weft get workloads -w', 'as they come and go'],
    ],
    notes:
      'JSON: of one name, the resource; else {"version", "items": [resource…]}. A resource is {"apiVersion", "kind",\n"metadata", "spec", "status"}, every default filled in. With -w: a line of {"change", "resource"} per change.',
  })
}

const FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const

async function get(io: Io, word: string, name: string | undefined, options: GetOptions): Promise<void> {
  const format = pickFormat(options.output, FORMATS)
  const kind = word.toLowerCase() === 'all' ? undefined : parseKind(word)
  if (name !== undefined && kind === undefined) throw usageError('`weft get all` takes no name')
  if (name !== undefined && options.allNamespaces === true)
    throw usageError('one name is in one namespace: leave out -A')
  const matches = options.selector === undefined ? () => true : parseSelector(options.selector)
  const client = await connect(io, options)
  const namespace = options.namespace ?? 'default'

  const read = async (): Promise<ResourceList> => {
    const list = await client.get<ResourceList>('/api/v1/resources', {
      kind,
      namespace: options.allNamespaces === true ? undefined : namespace,
    })
    const items = list.items.filter(
      ({ metadata }) => (name === undefined || metadata.name === name) && matches(metadata.labels),
    )
    return { version: list.version, items }
  }
  if (options.watch === true) return await watch(io, format, read)
  if (kind !== undefined && name !== undefined)
    return await printOne(io, client, resourcePath(kind, namespace, name), format)

  const list = await read()
  io.out.write(render(list, format, { kind, withNamespace: options.allNamespaces === true }))
  if (list.items.length > 0 || format === 'json' || format === 'yaml') return
  say(
    io,
    options,
    `no ${kind?.toLowerCase() ?? 'resource'} in ${options.allNamespaces === true ? 'any namespace' : namespace}`,
  )
  next(io, options, 'weft apply -f FILE')
}

async function printOne(
  io: Io,
  client: ControlPlaneClient,
  path: string,
  format: OutputFormat,
): Promise<void> {
  const resource = await client.find<ResourceView>(path)
  if (resource === undefined) {
    const [kind, name] = path.split('/').slice(-2)
    throw new CliError(`no ${kind} ${name} in this namespace`, {
      hint: `See which there are with \`weft get ${kind} -A\`.`,
    })
  }
  if (format === 'json') io.out.write(toJson(resource))
  else
    io.out.write(
      render({ version: 0, items: [resource] }, format, { kind: resource.kind, withNamespace: false }),
    )
}

interface View {
  readonly kind: Kind | undefined
  readonly withNamespace: boolean
}

/** A list in the form that was asked for. */
function render(list: ResourceList, format: OutputFormat, view: View): string {
  switch (format) {
    case 'json':
      return toJson(list)
    case 'yaml':
      return list.items.length === 0 ? '' : toYaml(list.items)
    case 'name':
      return list.items.map((item) => `${shortName(item)}\n`).join('')
    case 'table':
    case 'wide':
      return renderTable(
        headings(format, view),
        list.items.map((item) => row(item, format, view)),
      )
  }
}

function headings(format: OutputFormat, { kind, withNamespace }: View): string[] {
  return [
    ...(withNamespace ? ['NAMESPACE'] : []),
    'NAME',
    ...(kind === undefined ? [] : columnsOf(kind)),
    ...(format === 'wide' ? ['LABELS', 'SOURCE'] : []),
  ]
}

function row(item: ResourceView, format: OutputFormat, { kind, withNamespace }: View): string[] {
  return [
    ...(withNamespace ? [item.metadata.namespace] : []),
    kind === undefined ? shortName(item) : item.metadata.name,
    ...(kind === undefined ? [] : cellsOf(item)),
    ...(format === 'wide' ? [labelsText(item.metadata.labels), sourceText(item)] : []),
  ]
}

/** The control plane is asked this often: a change is seen within a second, and costs it nothing. */
const WATCH_INTERVAL_MS = 1000

/** Prints every resource once, then each change, until it is interrupted. */
async function watch(io: Io, format: OutputFormat, read: () => Promise<ResourceList>): Promise<never> {
  const known = new Map<string, { json: string; item: ResourceView }>()
  while (true) {
    const { items } = await read()
    const now = new Map(items.map((item) => [`${item.metadata.namespace}/${shortName(item)}`, item]))
    for (const [key, item] of now) {
      const json = JSON.stringify(item)
      const before = known.get(key)
      if (before?.json === json) continue
      io.out.write(changeLine(before === undefined ? 'added' : 'changed', item, format))
      known.set(key, { json, item })
    }
    for (const [key, { item }] of known) {
      if (now.has(key)) continue
      known.delete(key)
      io.out.write(changeLine('deleted', item, format))
    }
    await delay(WATCH_INTERVAL_MS)
  }
}

function changeLine(
  change: 'added' | 'changed' | 'deleted',
  resource: ResourceView,
  format: OutputFormat,
): string {
  if (format === 'json') return `${JSON.stringify({ change, resource })}\n`
  if (format === 'yaml') return `# ${change}\n${toYaml(resource)}---\n`
  if (format === 'name') return `${shortName(resource)}\n`
  const name = `${resource.metadata.namespace}/${shortName(resource)}`
  return `${change.padEnd(8)} ${name}  ${cellsOf(resource).join('  ')}\n`
}
