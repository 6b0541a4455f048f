/**
 * Reads a file of settings (one YAML document with a JSON Schema of its own, such as `weft.yaml`) with the faults and
 * the words of resources. Pure.
 */
import { Ajv } from 'ajv'
import { LineCounter, parseDocument, type YAMLError } from 'yaml'
import { explain } from './explain.ts'
import { type LocatedFault, locatedFault, type PositionedFault, publicFault } from './fault.ts'
import { FORMATS } from './formats.ts'
import type { JsonSchema } from './kinds/definition.ts'
import { positionOf } from './position.ts'
import { MAX_TEXT_BYTES, YAML_OPTIONS } from './read.ts'
import { repeatedKeys } from './repeated-keys.ts'

export interface DocumentSource {
  readonly text: string
  /** Only a name for the faults. */
  readonly file: string
  /** Formats are those of resources: see formats.ts. */
  readonly schema: JsonSchema
}

/** The value follows the schema where there are no faults. `faultAt` makes a fault of the reader's own, with its place. */
export interface ReadDocument {
  readonly value: unknown
  readonly faults: readonly PositionedFault[]
  faultAt(at: readonly (string | number)[], expected: string, came: string): PositionedFault
}

/** Never throws; all faults at once, in the order of the text. */
export function readDocument({ text, file, schema }: DocumentSource): ReadDocument {
  const lines = new LineCounter()
  const short = text.length > MAX_TEXT_BYTES ? '' : text
  const document = parseDocument(short, { ...YAML_OPTIONS, lineCounter: lines })
  const place = { document, lines, root: document.contents as unknown }
  const positioned = (fault: LocatedFault): PositionedFault => ({
    ...publicFault(fault),
    file,
    ...positionOf(place, fault.at, fault.onKey),
  })
  const faultAt = (at: readonly (string | number)[], expected: string, came: string): PositionedFault =>
    positioned(locatedFault({ at, expected, came }))

  const { value, faults } = read()
  faults.sort((a, b) => a.line - b.line || a.column - b.column)
  return { value, faults, faultAt }

  function read(): { value: unknown; faults: PositionedFault[] } {
    if (short !== text)
      return { value: undefined, faults: [faultAt([], `at most ${MAX_TEXT_BYTES} bytes`, 'more')] }
    const syntax = [...document.errors, ...document.warnings].map((error) => syntaxFault(error))
    if (syntax.length > 0) return { value: undefined, faults: syntax }
    const repeated = repeatedKeys(document).map(({ offset, name }) => {
      const { line, col } = lines.linePos(offset)
      return { ...faultAt([name], 'each key once', `${JSON.stringify(name)} again`), line, column: col }
    })
    try {
      const parsed: unknown = document.toJS({ maxAliasCount: 100 })
      return { value: parsed, faults: [...repeated, ...schemaFaults(schema, parsed).map(positioned)] }
    } catch (error) {
      const came = error instanceof Error ? error.message : String(error)
      return { value: undefined, faults: [faultAt([], 'anchors that are defined and used sparingly', came)] }
    }
  }

  function syntaxFault(error: YAMLError): PositionedFault {
    const { line, col } = lines.linePos(error.pos[0])
    return { ...faultAt([], 'YAML', `a syntax error: ${error.message}`), line, column: col }
  }
}

function schemaFaults(schema: JsonSchema, value: unknown): readonly LocatedFault[] {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true, verbose: true })
  for (const [name, { test }] of Object.entries(FORMATS))
    ajv.addFormat(name, { type: 'string', validate: test })
  const validate = ajv.compile(schema)
  if (validate(value)) return []
  return (validate.errors ?? []).map(explain).filter((fault) => fault !== undefined)
}
