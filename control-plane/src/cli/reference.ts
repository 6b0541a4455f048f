/** Writes docs/reference/cli.md from the commands themselves: `node control-plane/src/cli/reference.ts`. A test proves it current. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Argument, Command, Option } from 'commander'
import { DOCS_PAGE, documentationOf, fullName } from './document.ts'
import { EXIT_MEANING } from './exit-codes.ts'
import { type Io, screen } from './io.ts'
import { buildProgram } from './program.ts'

export const REFERENCE_FILE = join(import.meta.dirname, '../../..', DOCS_PAGE)

/** The page as Markdown. */
export function renderReference(): string {
  const program = buildProgram(silentIo(), { exitCode: 0 })
  const commands = leaves(program)
  return [
    '# The weft command',
    '',
    'Generated from the commands by `node control-plane/src/cli/reference.ts`; do not edit.',
    '',
    'Data goes to stdout, words for people to stderr. `-o json` prints one JSON document whose members only grow: a script',
    'that ignores what it does not know keeps working.',
    '',
    '| command | |',
    '| --- | --- |',
    ...commands.map(
      (command) => `| [\`${fullName(command)}\`](#${anchor(command)}) | ${cell(command.description())} |`,
    ),
    '',
    '## Exit codes',
    '',
    '| code | means |',
    '| --- | --- |',
    ...Object.entries(EXIT_MEANING).map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`),
    '',
    '`weft run` ends with the exit code of its command.',
    '',
    '## Global options',
    '',
    ...optionTable(program.options),
    '',
    '## Environment',
    '',
    ...environmentTable(),
    '',
    ...commands.flatMap((command) => section(command)),
  ].join('\n')
}

function section(command: Command): string[] {
  const documentation = documentationOf(command)
  const examples = documentation?.examples ?? []
  const width = Math.max(0, ...examples.map(([line]) => line.length))
  const notes = documentation?.notes
  return [
    `## ${fullName(command)}`,
    '',
    documentation?.description ?? '',
    '',
    '```sh',
    ...examples.map(([line, what]) => `${line.padEnd(width)}  # ${what}`),
    '```',
    '',
    `Usage: \`${fullName(command)} ${command.usage()}\``,
    '',
    ...argumentTable(command.registeredArguments),
    ...(command.options.length === 0 ? [] : [...optionTable(command.options), '']),
    ...(notes === undefined ? [] : ['```text', notes, '```', '']),
  ]
}

const argumentTable = (list: readonly Argument[]): string[] =>
  list.length === 0
    ? []
    : [
        '| argument | |',
        '| --- | --- |',
        ...list.map((each) => `| \`${each.name()}\` | ${cell(each.description)} |`),
        '',
      ]

function optionTable(options: readonly Option[]): string[] {
  const rows = options.map(({ flags, description, defaultValue }) => {
    const given =
      typeof defaultValue === 'string' || typeof defaultValue === 'number'
        ? ` Default: \`${defaultValue}\`.`
        : ''
    return `| \`${cell(flags)}\` | ${cell(description)}${given} |`
  })
  return ['| option | |', '| --- | --- |', ...rows]
}

const ENVIRONMENT: readonly (readonly [name: string, what: string])[] = [
  [
    'WEFT_CONTROL_PLANE_URL',
    'HTTP address of the control plane; `--control-plane` wins, `.weft/context.json` of this folder or one above comes after',
  ],
  ['WEFT_ADMIN_TOKEN_FILE', 'file with the token for writes; `--token-file` wins'],
  [
    'WEFT_STATE_DIR',
    'state folder of a control plane on this machine: its `admin-token` is used where nothing else names one',
  ],
  [
    'WEFT_CONTROL_PLANE',
    '`host:port` at which `weft run` lets its sidecar join; default that of the mesh of this folder, else `127.0.0.1:15012`',
  ],
  [
    'KAFKA_BROKERS',
    '`weft up`: brokers that run already, `host:port` with commas between; none is started then',
  ],
  ['KAFKA_SECURITY', '`weft up`: how to talk to them: `plaintext` (default), `tls`, `mtls`'],
  [
    'WEFT_LOG_LEVEL',
    '`weft up`, `weft run`: level of the logs of control plane and sidecars, default `info`',
  ],
  ['WEFT_CACHE_DIR', 'where the jars of Kafka are kept; default `$XDG_CACHE_HOME/weft`'],
  ['NO_COLOR, FORCE_COLOR', 'no colours; colours into a pipe too'],
]

const environmentTable = (): string[] => [
  '| variable | |',
  '| --- | --- |',
  ...ENVIRONMENT.map(([name, what]) => `| \`${name}\` | ${what} |`),
]

/** Commands that do something, in the order of the help. */
function leaves(command: Command): Command[] {
  return command.commands
    .filter((child) => child.name() !== 'help')
    .flatMap((child) => (child.commands.length === 0 ? [child] : leaves(child)))
}

const anchor = (command: Command): string => fullName(command).replaceAll(' ', '-')

const cell = (text: string): string => text.replaceAll('|', '\\|')

/** Only asked what there is; nothing is read or written. */
function silentIo(): Io {
  const nowhere = screen({ write: () => {} }, false)
  return { out: nowhere, err: nowhere, stdin: process.stdin, env: {}, cwd: '/' }
}

if (import.meta.main) writeFileSync(REFERENCE_FILE, renderReference())
