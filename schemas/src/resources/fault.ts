/** What is wrong with a resource, said so that a person can correct it without a manual. */

/** Member names and list indexes from the root of the resource. */
export type FaultPath = readonly (string | number)[]

export interface Fault {
  /** `spec.rules[0].to`; empty for the whole resource. */
  readonly path: string
  readonly expected: string
  /** What stood there, cut to a readable length. */
  readonly came: string
  /** One sentence with path, expectation, what came, and a suggestion where there is one. */
  readonly message: string
}

/** A fault with its place in a file; line and column count from 1. */
export interface PositionedFault extends Fault {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** Inside this folder a fault still knows its path as members, to look its position up. */
export interface LocatedFault extends Fault {
  readonly at: FaultPath
  /** The name of the last member is at fault, not its value. */
  readonly onKey: boolean
}

interface FaultParts {
  readonly at: FaultPath
  readonly expected: string
  readonly came: string
  readonly hint?: string
  readonly onKey?: boolean
}

/** Long enough for a SPIFFE id, short enough for a line of a terminal. */
const MAX_SHOWN_CHARACTERS = 80

/** Builds a fault and its sentence. */
export function locatedFault(parts: FaultParts): LocatedFault {
  const path = formatPath(parts.at)
  const { expected, came, hint } = parts
  const message = `${path === '' ? '' : `${path}: `}expected ${expected}, came ${came}${hint === undefined ? '' : ` (${hint})`}`
  return { at: parts.at, onKey: parts.onKey ?? false, path, expected, came, message }
}

/** The public part of a located fault. */
export function publicFault({ path, expected, came, message }: LocatedFault): Fault {
  return { path, expected, came, message }
}

/** `['spec', 'rules', 0, 'to']` → `spec.rules[0].to`; names that hold other characters are quoted: `spec.config["retention.ms"]`. */
export function formatPath(path: FaultPath): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[A-Za-z_$][\w$-]{0,127}$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${quote(part)}]`
  }
  return text
}

/** A value as a person recognises it: scalars as they stand, collections by their kind. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'nothing (null)'
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map'
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `a ${typeof value}`
}

function quote(text: string): string {
  const shown = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text
  return JSON.stringify(shown)
}
