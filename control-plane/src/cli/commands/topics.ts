import type { Command } from 'commander'
import { agrees } from '../agrees.ts'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { renderTable } from '../output/table.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { next, say } from '../words.ts'

interface RewindOptions extends GlobalOptions {
  readonly group: string
  readonly to?: string
  readonly offset?: readonly string[]
  readonly dryRun?: true
  readonly yes?: true
}

interface Rewound {
  readonly topic: string
  readonly group: string
  readonly subscription?: string
  readonly partitions: readonly {
    readonly partition: number
    readonly from: string | null
    readonly to: string
    readonly again: number | null
  }[]
}

/** The control plane waits a minute for deliveries that are under way. */
const TIMEOUT_MS = 90_000

/** `weft topics`: what is done with topics beyond their resources. */
export function addTopics(program: Command, io: Io): void {
  const topics = program.command('topics')
  document(topics, {
    description: 'Topics and the groups that read them. For the resources: weft get topics.',
    examples: [['weft topics rewind orders --group billing --to 10:00', 'deliver again what came since ten']],
  })
  const rewind = topics
    .command('rewind')
    .argument('<topic>', 'its name in Kafka')
    .requiredOption('--group <group>', 'the consumer group')
    .option('--to <when>', 'earliest, latest, 10:00, 15m (ago), or a time as 2026-11-27T10:00:00Z')
    .option('--offset <partition=offset...>', 'these partitions to these offsets, in place of --to')
    .option('--dry-run', 'say what would be, and change nothing')
    .option('-y, --yes', 'do not ask; needed where there is nobody to ask')
    .action(async (topic: string, _options: unknown, self: Command) =>
      rewindGroup(io, topic, self.optsWithGlobals<RewindOptions>()),
    )
  document(rewind, {
    description: 'Move a group to another place of a topic, while its sidecars are at work.',
    examples: [
      ['weft topics rewind orders --group billing --to 10:00 --dry-run', 'how many records that would be'],
      ['weft topics rewind orders --group billing --to 15m', 'the last quarter of an hour once more'],
      ['weft topics rewind orders --group billing --offset 0=1200 1=800', 'exactly there'],
    ],
    notes:
      'Sidecars that deliver for the group stop, let what is under way end, and go on from there. A group of clients of their own has to be\nstopped first. A time of day is today’s, or yesterday’s where it is still to come.\nJSON: {"topic", "group", "subscription", "partitions": [{"partition", "from", "to", "again"}]}.',
  })
}

async function rewindGroup(io: Io, topic: string, options: RewindOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  const to = targetOf(options, new Date())
  const client = await connect(io, { timeout: TIMEOUT_MS, ...options })
  const path = `/api/v1/topics/${encodeURIComponent(topic)}/groups/${encodeURIComponent(options.group)}/rewind`
  const planned = await client.send<Rewound>('POST', path, { to, dryRun: true })
  if (options.dryRun === true) return show(io, format, planned)
  const again = planned.partitions.reduce((sum, place) => sum + Math.max(0, place.again ?? 0), 0)
  const about = planned.partitions.map(
    ({ partition, from, to: place }) => `${topic}/${partition} from ${from ?? 'nowhere'} to ${place}`,
  )
  const question = `${again} records are delivered again. Move ${options.group}?`
  if (options.yes !== true && !(await agrees(io, about, question))) throw new CliError('nothing was done')
  say(
    io,
    options,
    `moving ${options.group}${planned.subscription === undefined ? '' : `; ${planned.subscription} stands still`}`,
  )
  const done = await client.send<Rewound>('POST', path, { to })
  show(io, format, done)
  next(io, options, `weft status, where the lag of ${options.group} goes down`)
}

function show(io: Io, format: 'table' | 'json', rewound: Rewound): void {
  io.out.write(format === 'json' ? toJson(rewound) : tableOf(rewound))
}

function tableOf({ partitions }: Rewound): string {
  const rows = partitions.map(({ partition, from, to, again }) => [
    String(partition),
    from ?? '-',
    to,
    again === null ? '-' : again >= 0 ? `${again} again` : `${-again} passed over`,
  ])
  return renderTable(['PARTITION', 'FROM', 'TO', 'RECORDS'], rows)
}

const DAY_MS = 86_400_000
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: DAY_MS } as const

/** What the control plane is asked for. `now` is what times are relative to. */
export function targetOf({ to, offset }: Pick<RewindOptions, 'to' | 'offset'>, now: Date): unknown {
  if ((to === undefined) === (offset === undefined)) throw usageError('expected either --to or --offset')
  if (offset !== undefined) return { offsets: Object.fromEntries(offset.map(offsetOf)) }
  if (to === 'earliest' || to === 'latest') return to
  const timeMs = timeOf(to ?? '', now)
  if (timeMs === undefined)
    throw usageError(`--to ${to}: expected earliest, latest, 10:00, 15m, or a time as 2026-11-27T10:00:00Z`)
  return { timeMs }
}

function offsetOf(text: string): readonly [string, number] {
  const [, partition = '', offset = ''] = /^(\d{1,6})=(\d{1,15})$/.exec(text) ?? []
  if (partition === '') throw usageError(`--offset ${text}: expected a partition and an offset, as 0=1200`)
  return [partition, Number(offset)]
}

function timeOf(text: string, now: Date): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== '') return now.getTime() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  const [, hours = '', minutes = '', seconds = '0'] = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text) ?? []
  if (hours !== '') return timeOfDay(now, [Number(hours), Number(minutes), Number(seconds)])
  const isDated = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text)
  const time = isDated ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

/** The last time that it was so late here. */
function timeOfDay(
  now: Date,
  [hours, minutes, seconds]: readonly [number, number, number],
): number | undefined {
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  const time = new Date(now)
  time.setHours(hours, minutes, seconds, 0)
  if (time > now) time.setDate(time.getDate() - 1)
  return time.getTime()
}
