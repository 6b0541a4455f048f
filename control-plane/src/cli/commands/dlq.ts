import type { Command } from 'commander'
import { agrees } from '../agrees.ts'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { age, printable, renderTable } from '../output/table.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { next, say } from '../words.ts'

interface ListOptions extends GlobalOptions {
  readonly limit: number
}

interface DecideOptions extends GlobalOptions {
  readonly all?: true
  readonly yes?: true
}

interface Letter {
  readonly id: string
  readonly key: string | null
  readonly bytes: number
  readonly from: { readonly topic: string; readonly partition: string; readonly offset: string }
  readonly error: string
  readonly attempts: string
  readonly firstAttempt: string
  readonly lastAttempt: string
}

interface WholeLetter extends Letter {
  readonly headers: readonly (readonly [string, string])[]
  readonly value: string | null
}

interface Decided {
  readonly decided: readonly string[]
  readonly absent: readonly string[]
  readonly left: number
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 10_000

/** `weft dlq`: what could not be delivered. */
export function addDlq(program: Command, io: Io): void {
  const dlq = program.command('dlq')
  document(dlq, {
    description: 'Dead letters: records of a subscription that could not be delivered.',
    examples: [
      ['weft dlq list orders', 'those of the Subscription orders that are open'],
      ['weft dlq redrive orders --all', 'deliver all of them once more'],
    ],
    notes:
      'A letter is named by its partition and offset in the dead-letter topic, as 0/12. The admin token is needed, also to look.',
  })
  const list = dlq
    .command('list')
    .argument('<subscription>', 'name of the Subscription')
    .option(
      '--limit <n>',
      `how many, the oldest first (default: ${DEFAULT_LIMIT})`,
      parseLimit,
      DEFAULT_LIMIT,
    )
    .action(async (name: string, _options: unknown, self: Command) =>
      listLetters(io, name, self.optsWithGlobals<ListOptions>()),
    )
  document(list, {
    description: 'List the letters that are neither redriven nor dropped.',
    examples: [
      ['weft dlq list orders', 'why each of them failed'],
      ['weft dlq list orders -o name', 'only their names, for a script'],
    ],
    notes:
      'JSON: {"topic", "open", "letters": [{"id", "key", "bytes", "from": {"topic", "partition", "offset"}, "error", "attempts",\n"firstAttempt", "lastAttempt"}]}.',
  })
  const show = dlq
    .command('show')
    .argument('<subscription>', 'name of the Subscription')
    .argument('<letter>', 'as `weft dlq list` names it: 0/12')
    .action(async (name: string, letter: string, _options: unknown, self: Command) =>
      showLetter(io, name, letter, self.optsWithGlobals<GlobalOptions>()),
    )
  document(show, {
    description: 'Show one letter with its headers and its value.',
    examples: [['weft dlq show orders 0/12', 'all of it']],
    notes:
      'JSON: as of a letter in the list, with "headers" and "value". What is no text comes in base64 after "base64:".',
  })
  addDecision(dlq, io, {
    name: 'redrive',
    done: 'sent back',
    description:
      'Send letters back to the one group that failed. Other groups of the topic see nothing of it.',
    question: 'Send them back?',
  })
  addDecision(dlq, io, {
    name: 'drop',
    done: 'dropped',
    description: 'Take letters off the list. They stay in the topic for as long as Kafka keeps them.',
    question: 'Drop them?',
  })
}

interface DecisionCommand {
  readonly name: 'redrive' | 'drop'
  readonly done: string
  readonly description: string
  readonly question: string
}

function addDecision(dlq: Command, io: Io, decision: DecisionCommand): void {
  const { name: what, description } = decision
  const command = dlq
    .command(what)
    .argument('<subscription>', 'name of the Subscription')
    .argument('[letters...]', 'as `weft dlq list` names them')
    .option('--all', 'all that are open')
    .option('-y, --yes', 'with --all: do not ask; needed where there is nobody to ask')
    .action(async (name: string, letters: readonly string[], _options: unknown, self: Command) =>
      decide(io, decision, { name, letters, options: self.optsWithGlobals<DecideOptions>() }),
    )
  document(command, {
    description,
    examples: [
      [`weft dlq ${what} orders 0/12 0/13`, 'these two'],
      [`weft dlq ${what} orders --all --yes`, 'all of them, in a script'],
    ],
    notes: 'JSON: {"decided": ["0/12"], "absent": ["0/13"], "left": 0}. Exit code 1 if one was not open.',
  })
}

const pathOf = (name: string, { namespace = 'default' }: GlobalOptions, what: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/subscriptions/${encodeURIComponent(name)}/dead-letters/${what}`

async function listLetters(io: Io, name: string, options: ListOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json', 'name'])
  const client = await connect(io, options)
  const found = await client.send<{ topic: string; open: number; letters: readonly Letter[] }>(
    'POST',
    pathOf(name, options, 'list'),
    { limit: options.limit },
  )
  if (format === 'json') return io.out.write(toJson(found))
  if (format === 'name') return io.out.write(found.letters.map(({ id }) => `${id}\n`).join(''))
  if (found.open === 0) {
    say(io, options, `no open dead letters of ${name} in ${found.topic}`)
    return
  }
  io.out.write(
    renderTable(
      ['LETTER', 'AGE', 'KEY', 'ATTEMPTS', 'FROM', 'ERROR'],
      found.letters.map(({ id, lastAttempt, key, attempts, from, error }) => [
        id,
        Number.isNaN(Date.parse(lastAttempt)) ? '-' : age(Date.parse(lastAttempt)),
        key ?? '-',
        attempts,
        `${from.topic} ${from.partition}/${from.offset}`,
        error,
      ]),
    ),
  )
  if (found.open > found.letters.length)
    say(io, options, `${found.letters.length} of ${found.open}; more with --limit`)
  next(io, options, `weft dlq show ${name} ${found.letters[0]?.id ?? ''}`)
}

async function showLetter(io: Io, name: string, letter: string, options: GlobalOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  checkLetters([letter])
  const client = await connect(io, options)
  const found = await client.send<WholeLetter>('POST', pathOf(name, options, 'show'), { letter })
  if (format === 'json') return io.out.write(toJson(found))
  const { from } = found
  const lines: readonly (readonly [string, string])[] = [
    ['letter', found.id],
    ['from', `${from.topic} ${from.partition}/${from.offset}`],
    ['key', found.key ?? '-'],
    ['error', found.error],
    ['attempts', `${found.attempts}, ${found.firstAttempt} to ${found.lastAttempt}`],
    ...found.headers.map(([header, value]) => [`header ${header}`, value] as const),
  ]
  io.out.write(renderTable(['', ''], lines))
  // What a record holds must not be able to steer the terminal.
  const value = (found.value ?? '(a tombstone: no value)').split('\n').map(printable)
  io.out.write(`\n${value.join('\n')}\n`)
  next(io, options, `weft dlq redrive ${name} ${letter}`)
}

async function decide(
  io: Io,
  { name: what, done, question }: DecisionCommand,
  { name, letters, options }: { name: string; letters: readonly string[]; options: DecideOptions },
): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json', 'name'])
  if (letters.length > 0 === (options.all === true))
    throw usageError('which letters? Name them, or say --all', `As in: weft dlq ${what} ${name} 0/12`)
  checkLetters(letters)
  const client = await connect(io, options)
  if (options.all === true && options.yes !== true) {
    const { open, topic } = await client.send<{ open: number; topic: string }>(
      'POST',
      pathOf(name, options, 'list'),
      { limit: 1 },
    )
    const about = [`${open} open dead letters of ${name} in ${topic}`]
    if (open > 0 && !(await agrees(io, about, question))) throw new CliError('nothing was done')
  }
  const body = options.all === true ? { all: true } : { letters }
  const result = await client.send<Decided>('POST', pathOf(name, options, what), body)
  if (format === 'json') io.out.write(toJson(result))
  else if (format === 'name') io.out.write(result.decided.map((id) => `${id}\n`).join(''))
  else io.out.write(`${result.decided.length} ${done}\n`)
  if (result.left > 0) say(io, options, `${result.left} more are open: run it again`)
  if (result.absent.length > 0)
    throw new CliError(`not open: ${result.absent.join(', ')}`, {
      hint: `See what is with \`weft dlq list ${name}\`.`,
    })
}

function checkLetters(letters: readonly string[]): void {
  const wrong = letters.find((letter) => !/^\d{1,9}\/\d{1,19}$/.test(letter))
  if (wrong !== undefined)
    throw usageError(
      `expected a letter as 0/12, came ${JSON.stringify(wrong)}`,
      'See them with `weft dlq list`.',
    )
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (!/^\d+$/.test(text) || limit < 1 || limit > MAX_LIMIT)
    throw usageError(`--limit: expected a number from 1 to ${MAX_LIMIT}, came ${JSON.stringify(text)}`)
  return limit
}
