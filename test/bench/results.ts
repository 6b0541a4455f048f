/** What a run leaves behind: its section of RESULTS.md, and one line of JSON for programs. */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { whyUnpinned } from './cores.ts'
import type { BenchOptions } from './options.ts'
import type { Outcome } from './rounds.ts'
import { SUITES } from './suites/index.ts'
import type { Figures } from './suites/suite.ts'
import { type Row, rowsOf } from './summary.ts'

const FILE = join(import.meta.dirname, 'RESULTS.md')

/** Replaces the section of the suite in RESULTS.md; what people wrote around the sections stays. */
export async function writeResults(options: BenchOptions, outcome: Outcome): Promise<string> {
  const { suite } = options
  const section = await sectionOf(options, outcome)
  const begin = `<!-- ${suite}: written by npm run bench -- ${suite} -->`
  const end = `<!-- end of ${suite} -->`
  const text = await readFile(FILE, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`expected "${begin}" and "${end}" in ${FILE}`)
  await writeFile(FILE, `${text.slice(0, from)}${begin}\n\n${section}\n${text.slice(to)}`)
  return section
}

async function sectionOf(options: BenchOptions, outcome: Outcome): Promise<string> {
  const { what, baseline } = SUITES[options.suite]
  const rows = rowsOf(outcome)
  const isUnpinned = await whyUnpinned()
  return [
    `${what}. Medians of ${options.rounds} rounds, ${options.seconds} s for each measurement, ${machine()}.`,
    ...(isUnpinned === undefined ? [] : [`**Nothing was pinned to a core: ${isUnpinned}.**`]),
    '',
    table(rows),
    ...ratios(rows, baseline),
    ...rows.map(({ contestant }) => `- ${contestant.name}: ${contestant.about}`),
    ...(outcome.skipped.length === 0 ? [] : ['', 'Skipped:', '']),
    ...outcome.skipped.map((reason) => `- ${reason}`),
    '',
  ].join('\n')
}

interface Column {
  readonly key: keyof Figures
  readonly title: string
  readonly digits: number
}

const COLUMNS: readonly Column[] = [
  { key: 'perSecond', title: 'per second', digits: 0 },
  { key: 'cpuMicros', title: 'CPU µs each', digits: 1 },
  { key: 'p50Ms', title: 'p50 ms', digits: 2 },
  { key: 'p99Ms', title: 'p99 ms', digits: 2 },
  { key: 'mibPerSecond', title: 'MiB/s', digits: 0 },
  { key: 'rssMiB', title: 'RSS MiB, all processes', digits: 0 },
  { key: 'errors', title: 'errors', digits: 0 },
  { key: 'foreignPercent', title: 'others’ CPU %', digits: 0 },
]

function table(rows: readonly Row[]): string {
  const columns = COLUMNS.filter(({ key }) => rows.some(({ median }) => median[key] !== undefined))
  const cell = ({ median }: Row, { key, digits }: Column): string => median[key]?.toFixed(digits) ?? ''
  return [
    `| | ${columns.map(({ title }) => title).join(' | ')} |`,
    `| --- | ${columns.map(() => '---:').join(' | ')} |`,
    ...rows.map(
      (row) => `| ${row.contestant.name} | ${columns.map((column) => cell(row, column)).join(' | ')} |`,
    ),
    '',
  ].join('\n')
}

/** Weft against the baseline, where both ran. */
function ratios(rows: readonly Row[], baseline: string): readonly string[] {
  const of = (name: string): Figures | undefined =>
    rows.find(({ contestant }) => contestant.name === name)?.median
  const [ours, theirs] = [of('weft'), of(baseline)]
  if (ours === undefined || theirs === undefined) return []
  const ratio = (key: keyof Figures): string => ((ours[key] ?? 0) / (theirs[key] ?? 0)).toFixed(2)
  const large = ours.mibPerSecond === undefined ? '' : `, ${ratio('mibPerSecond')} of its MiB/s`
  return [
    `**weft / ${baseline}: ${ratio('perSecond')} × the requests, ${ratio('cpuMicros')} of the CPU, ${ratio('p50Ms')} of p50, ${ratio('p99Ms')} of p99${large}.**`,
    '',
  ]
}

function machine(): string {
  const { model = 'unknown processor' } = cpus()[0] ?? {}
  return `${cpus().length} × ${model.trim()}, Linux ${release()}, Node ${process.version}`
}

/** The last line of `--json`. */
export function jsonLine({ suite, rounds }: BenchOptions, outcome: Outcome): string {
  const contestants = Object.fromEntries(
    rowsOf(outcome).map(({ contestant, median: { errors: _, foreignPercent: __, ...figures } }) => [
      contestant.name,
      figures,
    ]),
  )
  return JSON.stringify({ suite, rounds, contestants })
}
