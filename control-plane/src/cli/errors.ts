import { EXIT, type ExitCode } from './exit-codes.ts'

/** One fault of a document: where it is, what was expected there and what came. */
export interface Fault {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly path?: string
  readonly message: string
}

interface CliErrorDetails {
  /** What the person can do about it. */
  readonly hint?: string
  readonly faults?: readonly Fault[]
  /** Quoted below the message as they are: the last lines of a log. */
  readonly quote?: readonly string[]
  readonly exitCode?: ExitCode
  readonly cause?: unknown
}

/** An error for the person at the terminal: what failed and why, every fault, and what to do. */
export class CliError extends Error {
  readonly hint: string | undefined
  readonly faults: readonly Fault[]
  readonly quote: readonly string[]
  readonly exitCode: ExitCode

  constructor(message: string, details: CliErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'CliError'
    this.hint = details.hint
    this.faults = details.faults ?? []
    this.quote = details.quote ?? []
    this.exitCode = details.exitCode ?? EXIT.failed
  }
}

/** The arguments cannot be right: exit code 2. */
export const usageError = (message: string, hint?: string): CliError =>
  new CliError(message, { exitCode: EXIT.usage, ...(hint !== undefined && { hint }) })

/** `policies/orders.yaml:12:7 spec.rules[0].to: expected an array, came a string`, as editors and CI make it clickable. */
export function formatFault(fault: Fault): string {
  const place = [fault.file, fault.line, fault.column].filter((part) => part !== undefined).join(':')
  // The sentence of a resource fault names its path already.
  const known = fault.path === undefined || fault.path === '' || fault.message.startsWith(fault.path)
  return `${place === '' ? '' : `${place} `}${known ? '' : `${fault.path}: `}${fault.message}`
}

/** Message of any thrown value. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
