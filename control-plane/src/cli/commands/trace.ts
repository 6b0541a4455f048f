import type { Command } from 'commander'
import type { TraceJson, TraceSummary } from '../../telemetry/types.ts'
import { document } from '../document.ts'
import { CliError, usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { age, duration, renderTable } from '../output/table.ts'
import { renderWaterfall } from '../output/waterfall.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { next, say } from '../words.ts'

interface TraceOptions extends GlobalOptions {
  readonly limit: number
  readonly service?: string
  readonly topic?: string
}

export function addTrace(program: Command, io: Io): void {
  const command = program
    .command('trace')
    .argument('[trace-id]', '32 hexadecimal digits; without it, the latest traces')
    .option('--limit <count>', 'how many to list', parseLimit, 20)
    .option('--service <name>', 'only those that went through this service')
    .option('--topic <name>', 'only those that went through this topic')
    .action(async (traceId: string | undefined, _options: unknown, self: Command) => {
      const options = self.optsWithGlobals<TraceOptions>()
      await (traceId === undefined ? list(io, options) : show(io, traceId, options))
    })
  document(command, {
    description:
      'List the latest traces, or draw one: every hop, and the time that events waited in their topics.',
    examples: [
      ['weft trace', 'the latest, newest first'],
      ['weft trace 4bf92f3577b34da6a3ce929d0e0e4736', 'one as a waterfall'],
      ['weft trace --topic orders -o json', 'for a script'],
    ],
    notes:
      'JSON of the list: {"items": [{"traceId", "rootName", "startTimeUnixMs", "durationMs", "services", "topics", "status",\n"spanCount"}]}; of one: the same members with "spans" and "waits", as GET /api/v1/traces/{id} answers.',
  })
}

async function list(io: Io, options: TraceOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'wide', 'json', 'name'])
  const client = await connect(io, options)
  const { items } = await client.get<{ items: readonly TraceSummary[] }>('/api/v1/traces', {
    limit: String(options.limit),
    service: options.service,
    topic: options.topic,
  })
  if (format === 'json') return io.out.write(toJson({ items }))
  if (format === 'name') return io.out.write(items.map(({ traceId }) => `${traceId}\n`).join(''))
  io.out.write(
    renderTable(
      [
        'TRACE',
        'AGE',
        'DURATION',
        'SPANS',
        'STATUS',
        'ROOT',
        ...(format === 'wide' ? ['SERVICES', 'TOPICS'] : []),
      ],
      items.map((trace) => [
        trace.traceId,
        age(trace.startTimeUnixMs),
        duration(trace.durationMs),
        String(trace.spanCount),
        trace.status === 'error' ? io.out.paint('red', '✕ error') : 'ok',
        trace.rootTarget ?? trace.rootName,
        ...(format === 'wide' ? [trace.services.join(','), trace.topics.join(',')] : []),
      ]),
    ),
  )
  const [latest] = items
  if (latest === undefined) say(io, options, 'no traces yet: they appear with the first sampled request')
  else next(io, options, `weft trace ${latest.traceId}`)
}

async function show(io: Io, traceId: string, options: TraceOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  if (!/^[0-9a-fA-F]{32}$/.test(traceId))
    throw usageError(
      `a trace id has 32 hexadecimal digits, this is ${JSON.stringify(traceId)}`,
      'See them with `weft trace`.',
    )
  const client = await connect(io, options)
  const trace = await client.find<TraceJson>(`/api/v1/traces/${traceId.toLowerCase()}`)
  if (trace === undefined)
    throw new CliError(
      `no trace ${traceId}: it was not sampled, has not arrived yet, or has made room for newer ones`,
      {
        hint: 'See which there are with `weft trace`.',
      },
    )
  if (format === 'json') return io.out.write(toJson(trace))
  const { rootTarget, rootName, durationMs, spanCount, services, topics, droppedSpans } = trace
  io.out.write(
    `${io.out.paint('bold', rootTarget ?? rootName)}  ${duration(durationMs)}  ${spanCount} spans\n`,
  )
  io.out.write(
    `services ${services.join(', ')}${topics.length === 0 ? '' : `  topics ${topics.join(', ')}`}\n\n`,
  )
  io.out.write(renderWaterfall(trace, io.out))
  if (droppedSpans !== undefined) say(io, options, `${droppedSpans} more spans were not kept`)
}

function parseLimit(text: string): number {
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > 500) throw usageError(`--limit: expected 1 to 500, came ${JSON.stringify(text)}`)
  return limit
}
