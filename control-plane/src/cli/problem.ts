import { CliError, type Fault } from './errors.ts'

interface RemoteFault {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly path?: string
  readonly expected?: string
  readonly came?: string
  readonly message?: string
}

/** A fault of the API or of `@weft/schemas/resources` in the words of the command line. */
function toFault(fault: RemoteFault): Fault {
  const { expected, came, message } = fault
  const text =
    message ??
    (expected === undefined
      ? 'not valid'
      : `expected ${expected}${came === undefined ? '' : `, came ${came}`}`)
  return { ...pick(fault, ['file', 'line', 'column', 'path']), message: text }
}

function pick<T extends object, Key extends keyof T>(value: T, keys: readonly Key[]): Pick<T, Key> {
  return Object.fromEntries(
    keys.filter((key) => value[key] !== undefined).map((key) => [key, value[key]]),
  ) as Pick<T, Key>
}

/** problem+json → CliError; an answer that is no problem document keeps its status and its first words. */
export function refusal(status: number, body: string, call: string): CliError {
  const problem = parseProblem(body) ?? registryError(body)
  if (problem === undefined)
    return new CliError(
      `${call}: the control plane answered ${status}${body === '' ? '' : `: ${body.slice(0, 200)}`}`,
    )
  const title = problem.title ?? `the control plane answered ${status}`
  const detail = problem.detail === undefined || problem.detail === title ? '' : `: ${problem.detail}`
  const hint =
    status === 401 ? 'Name the admin token file with --token-file (`weft up` finds its own).' : problem.hint
  return new CliError(`${title}${detail}${problem.code === undefined ? '' : ` (${problem.code})`}`, {
    faults: (problem.faults ?? []).map(toFault),
    ...(hint !== undefined && { hint }),
  })
}

/** The registry of schemas answers in the words of Confluent's. */
function registryError(body: string): ProblemBody | undefined {
  try {
    const { error_code: code, message } = JSON.parse(body) as { error_code?: number; message?: string }
    return code === undefined || message === undefined ? undefined : { title: message }
  } catch {
    return undefined
  }
}

interface ProblemBody {
  readonly title?: string
  readonly detail?: string
  readonly code?: string
  readonly hint?: string
  readonly faults?: readonly RemoteFault[]
}

function parseProblem(body: string): ProblemBody | undefined {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null) return undefined
    return 'title' in value || 'detail' in value ? (value as ProblemBody) : undefined
  } catch {
    return undefined
  }
}
