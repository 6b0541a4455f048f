import { styleText } from 'node:util'

/** One of the two text streams of a command. Data goes to stdout, words for people to stderr. */
export interface Screen {
  write(text: string): void
  readonly isTty: boolean
  readonly columns: number
  /** The text in this style, or plain where colours are off. */
  paint(style: Style, text: string): string
}

export type Style = 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'gray' | 'bold' | 'dim'

/** All that a command knows of the world outside it; tests give it one of their own. */
export interface Io {
  readonly out: Screen
  readonly err: Screen
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
}

interface Stream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** Lines are cut and tables laid out for this width where the stream does not know its own. */
const DEFAULT_COLUMNS = 100

export function screen(stream: Stream, colours: boolean): Screen {
  return {
    write: (text) => void stream.write(text),
    isTty: stream.isTTY === true,
    columns: stream.columns ?? DEFAULT_COLUMNS,
    paint: (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text),
  }
}

/** https://no-color.org: any non-empty NO_COLOR wins; FORCE_COLOR paints into a pipe; else a terminal that can. */
export function wantsColour(
  stream: Stream,
  env: Readonly<Record<string, string | undefined>>,
  argv: readonly string[],
): boolean {
  if (ownArguments(argv).includes('--no-color')) return false
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== '') return false
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '') return env.FORCE_COLOR !== '0'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** What stands before `--`: the rest is the command line of somebody else. */
export function ownArguments(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf('--')
  return end === -1 ? argv : argv.slice(0, end)
}

/** The real streams of this process. */
export function processIo(argv: readonly string[]): Io {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endWithTheReader)
  return {
    out: screen(process.stdout, wantsColour(process.stdout, process.env, argv)),
    err: screen(process.stderr, wantsColour(process.stderr, process.env, argv)),
    stdin: process.stdin,
    env: process.env,
    cwd: process.cwd(),
  }
}

/** `weft … | head`: who read has seen enough. */
function endWithTheReader(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  process.exit()
}
