import { readFile } from 'node:fs/promises'
import { extname, resolve } from 'node:path'
import type { Command } from 'commander'
import { createTwoFilesPatch } from 'diff'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { renderTable } from '../output/table.ts'
import type { Outcome } from '../program.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { readStdin } from '../source-files.ts'
import { say } from '../words.ts'

interface SchemaOptions extends GlobalOptions {
  readonly type?: 'avro' | 'json'
  readonly at?: string
}

interface Version {
  readonly subject: string
  readonly version: number
  readonly id: number
  readonly schemaType?: string
  readonly schema: string
}

const NOTES_TYPE =
  'The type is that of the file name: .avsc is Avro, .json is JSON Schema; else --type says it.'

/** `weft schema`: what events look like, and how that may change. */
export function addSchema(program: Command, io: Io, outcome: Outcome): void {
  const schema = program.command('schema')
  document(schema, {
    description: 'Schemas of events: look at them, check a change, register it.',
    examples: [
      ['weft schema check orders-value order.avsc', 'may this be the next version?'],
      ['weft schema register orders-value order.avsc', 'make it the next version'],
    ],
    notes:
      'A subject is that of a topic: orders-value for the values of the topic orders. The control plane serves the REST API of the\nConfluent Schema Registry: its clients can use it as it is.',
  })
  addList(schema, io)
  addShow(schema, io)
  addCheck(schema, io, outcome)
  addRegister(schema, io)
  addDiff(schema, io, outcome)
}

function addList(schema: Command, io: Io): void {
  const list = schema.command('list').action(async (_options: unknown, self: Command) => {
    const options = self.optsWithGlobals<GlobalOptions>()
    const format = pickFormat(options.output, ['table', 'json', 'name'])
    const client = await connect(io, options)
    const versions = await client.get<readonly Version[]>('/schemas', { latestOnly: 'true' })
    if (format === 'json') return io.out.write(toJson(versions))
    if (format === 'name') return io.out.write(versions.map(({ subject }) => `${subject}\n`).join(''))
    if (versions.length === 0) return say(io, options, 'no schema is registered')
    io.out.write(
      renderTable(
        ['SUBJECT', 'TYPE', 'VERSION', 'ID'],
        versions.map(({ subject, schemaType = 'AVRO', version, id }) => [
          subject,
          schemaType,
          String(version),
          String(id),
        ]),
      ),
    )
  })
  document(list, {
    description: 'List the subjects, each with its latest version.',
    examples: [
      ['weft schema list', 'all of them'],
      ['weft schema list -o name', 'only their names, for a script'],
    ],
    notes: 'JSON: [{"subject", "version", "id", "schemaType", "schema"}]; schemaType is not said of Avro.',
  })
}

function addShow(schema: Command, io: Io): void {
  const show = schema
    .command('show')
    .argument('<subject>', 'as `weft schema list` names it')
    .option('--at <version>', 'a number, or latest', 'latest')
    .action(async (subject: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SchemaOptions>()
      const format = pickFormat(options.output, ['table', 'json'])
      const found = await (await connect(io, options)).get<Version>(versionPath(subject, options.at))
      io.out.write(format === 'json' ? toJson(found) : pretty(found.schema))
    })
  document(show, {
    description: 'Show a version of a schema.',
    examples: [
      ['weft schema show orders-value', 'the latest'],
      ['weft schema show orders-value --at 1 > order.avsc', 'an earlier one, into a file'],
    ],
    notes: 'JSON: {"subject", "version", "id", "schemaType", "schema"}.',
  })
}

function addCheck(schema: Command, io: Io, outcome: Outcome): void {
  const check = withFile(schema.command('check')).action(
    async (subject: string, file: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SchemaOptions>()
      const format = pickFormat(options.output, ['table', 'json'])
      const client = await connect(io, options)
      const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`
      const { is_compatible: isCompatible, messages } = await client.ask<{
        is_compatible: boolean
        messages: readonly string[]
      }>(path, await sent(io, file, options))
      if (format === 'json') io.out.write(toJson({ compatible: isCompatible, faults: messages }))
      else io.out.write(isCompatible ? 'compatible\n' : messages.map((message) => `${message}\n`).join(''))
      if (!isCompatible) outcome.exitCode = EXIT.failed
    },
  )
  document(check, {
    description: 'Check whether a schema may be the next version of a subject. Nothing is changed.',
    examples: [
      ['weft schema check orders-value order.avsc', 'in a CI job, before it is deployed'],
      ['weft schema check carts-value - --type json', 'from standard input'],
    ],
    notes: `${NOTES_TYPE}\nExit code 1 if it may not.\nJSON: {"compatible", "faults": ["…"]}.`,
  })
}

function addRegister(schema: Command, io: Io): void {
  const register = withFile(schema.command('register')).action(
    async (subject: string, file: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SchemaOptions>()
      const format = pickFormat(options.output, ['table', 'json'])
      const client = await connect(io, options)
      const path = `/subjects/${encodeURIComponent(subject)}/versions`
      const made = await client.send<Version>('POST', path, await sent(io, file, options))
      if (format === 'json') io.out.write(toJson({ subject, version: made.version, id: made.id }))
      else io.out.write(`${subject} version ${made.version}, id ${made.id}\n`)
    },
  )
  document(register, {
    description:
      'Make a schema the next version of a subject; what is registered already stays the version that it is.',
    examples: [['weft schema register orders-value order.avsc', 'refused where it is not compatible']],
    notes: `${NOTES_TYPE}\nJSON: {"subject", "version", "id"}.`,
  })
}

function addDiff(schema: Command, io: Io, outcome: Outcome): void {
  const diff = withFile(schema.command('diff'))
    .option('--at <version>', 'a number, or latest', 'latest')
    .action(async (subject: string, file: string, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<SchemaOptions>()
      pickFormat(options.output, ['table'])
      const { schema: text } = await sent(io, file, options)
      const found = await (await connect(io, options)).get<Version>(versionPath(subject, options.at))
      const [before, after] = [pretty(found.schema), pretty(text)]
      if (before === after) return say(io, options, `the same as version ${found.version} of ${subject}`)
      const patch = createTwoFilesPatch(`${subject} version ${found.version}`, file, before, after)
      io.out.write(patch.replace(/^=+\n/, ''))
      outcome.exitCode = EXIT.failed
    })
  document(diff, {
    description: 'Compare a file with a version of a subject, line by line.',
    examples: [
      ['weft schema diff orders-value order.avsc', 'with the latest'],
      ['weft schema diff orders-value order.avsc --at 1', 'with an earlier one'],
    ],
    notes: 'Both are indented in the same way first. Exit code 1 if they differ.',
  })
}

const withFile = (command: Command): Command =>
  command
    .argument('<subject>', 'such as orders-value')
    .argument('<file>', 'the schema; - for standard input')
    .option('--type <type>', 'avro or json', parseType)

function parseType(raw: string): 'avro' | 'json' {
  if (raw === 'avro' || raw === 'json') return raw
  throw usageError(`--type ${raw}: expected avro or json`)
}

const versionPath = (subject: string, version = 'latest'): string =>
  `/subjects/${encodeURIComponent(subject)}/versions/${encodeURIComponent(version)}`

/** What the registry is sent of a file. */
async function sent(
  io: Io,
  file: string,
  { type }: SchemaOptions,
): Promise<{ schema: string; schemaType: string }> {
  const kind = type ?? { '.avsc': 'avro', '.json': 'json' }[extname(file)]
  if (kind === undefined) throw usageError(`${file}: expected a file that ends in .avsc or .json, or --type`)
  const schema = file === '-' ? await readStdin(io) : await readSchema(resolve(io.cwd, file), file)
  return { schema, schemaType: kind.toUpperCase() }
}

async function readSchema(path: string, asWritten: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new CliError(
      `${asWritten} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

/** Indented; what is no JSON stays as it is. */
function pretty(text: string): string {
  try {
    return toJson(JSON.parse(text))
  } catch {
    return text.endsWith('\n') ? text : `${text}\n`
  }
}
