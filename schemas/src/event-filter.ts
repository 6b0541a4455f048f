/**
 * Which events a subscriber wants, as an expression in CEL (cel.dev) over `event` (attributes of a CloudEvent), `headers` (those of the record)
 * and `key`, all of them text:
 *
 *     event.type == "shop.OrderCreated" && headers.tenant in ["blue", "green"]
 */
import { Environment } from '@marcbachmann/cel-js'

export interface FilteredEvent {
  readonly event: ReadonlyMap<string, string>
  readonly headers: ReadonlyMap<string, string>
  /** Empty where the record has none. */
  readonly key: string
}

/** False also where the expression asks for what is not there. */
export type EventFilter = (filtered: FilteredEvent) => boolean

export const MAX_FILTER_LENGTH = 2048
const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 256,
  maxMapEntries: 16,
  maxCallArguments: 8,
}

const environment = new Environment({ limits: LIMITS })
  .registerVariable('event', 'map<string, string>')
  .registerVariable('headers', 'map<string, string>')
  .registerVariable('key', 'string')

/** Throws an Error whose message says what is wrong with the expression. */
export function compileFilter(expression: string): EventFilter {
  if (expression.length > MAX_FILTER_LENGTH)
    throw new Error(`expected at most ${MAX_FILTER_LENGTH} characters`)
  // Its regular expressions are JavaScript's, which can be made to take for ever.
  if (/\bmatches\s*\(/.test(expression))
    throw new Error('expected no matches(): use startsWith, endsWith, contains, or in')
  const parsed = environment.parse(expression)
  const { valid, type, error } = parsed.check()
  if (!valid) throw new Error(firstLine(error?.message ?? 'the expression has no type'))
  if (type !== 'bool') throw new Error(`expected true or false, not ${String(type)}`)
  return (filtered) => {
    try {
      return parsed(filtered) === true
    } catch {
      return false
    }
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? ''

/** Why it cannot be used; undefined where it can. */
export function filterFault(expression: string): string | undefined {
  try {
    compileFilter(expression)
    return undefined
  } catch (error) {
    return firstLine(error instanceof Error ? error.message : String(error))
  }
}
