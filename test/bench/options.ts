import { parseArgs } from 'node:util'
import { SUITES, type SuiteName } from './suites/index.ts'

export interface BenchOptions {
  readonly suite: SuiteName
  /** Every contestant runs once in each. */
  readonly rounds: number
  /** Of each measurement. */
  readonly seconds: number
  /** Names of contestants; undefined: all. */
  readonly only: ReadonlySet<string> | undefined
  /** The last line of stdout is one JSON document. */
  readonly json: boolean
}

export const USAGE = `npm run bench -- ${Object.keys(SUITES).join('|')} [--rounds N] [--seconds S] [--only a,b] [--json]`

const DEFAULT_ROUNDS = 3
/** Short enough that one round of all contestants sees the same machine, long enough that a JIT's start does not show. */
const DEFAULT_SECONDS = 8

/** Throws an Error that says what was expected. */
export function benchOptions(words: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [suite, ...others] = positionals
  if (suite === undefined || others.length > 0 || !isSuite(suite))
    throw new Error(`expected one suite of ${Object.keys(SUITES).join(', ')}; ${positionals.join(' ')} came`)
  return {
    suite,
    rounds: positive('--rounds', values.rounds, DEFAULT_ROUNDS),
    seconds: positive('--seconds', values.seconds, DEFAULT_SECONDS),
    only: values.only === undefined ? undefined : new Set(values.only.split(',')),
    json: values.json,
  }
}

const isSuite = (name: string): name is SuiteName => name in SUITES

function positive(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 3600)
    throw new Error(`${name}: expected a whole number from 1 to 3600; ${text} came`)
  return value
}
