import { stringify } from 'yaml'
import { usageError } from '../errors.ts'

export const OUTPUT_FORMATS = ['table', 'wide', 'json', 'yaml', 'name'] as const
export type OutputFormat = (typeof OUTPUT_FORMATS)[number]

/** The format that was asked for, `table` by default; wrong usage where this command has no such form. */
export function pickFormat<Format extends OutputFormat>(
  asked: OutputFormat | undefined,
  offered: readonly Format[],
): Format {
  const [first] = offered
  const format = asked ?? first
  const found = offered.find((candidate) => candidate === format)
  if (found === undefined)
    throw usageError(`-o ${format} is not possible here: choose one of ${offered.join(', ')}`)
  return found
}

/** JSON for programs, indented for people who look at it too; ends in a newline. */
export const toJson = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** One YAML document, or several with `---` between for a list. */
export function toYaml(value: unknown): string {
  const documents = Array.isArray(value) ? value : [value]
  return documents.map((document) => stringify(document, { lineWidth: 110 })).join('---\n')
}
