import { Ajv, type ValidateFunction } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { EventSchema } from './schema.ts'

const UNKNOWN_KEYWORDS_ARE_ALLOWED = { strict: false, allErrors: true, validateFormats: false } as const

export type JsonSchema = boolean | Readonly<Record<string, unknown>>

/** Compiles a JSON Schema (draft-07, 2019-09, 2020-12 by its `$schema`). Throws Error that says what is wrong with it. */
export function jsonValidator({ text, references = [] }: EventSchema): ValidateFunction {
  const schema = parse(text)
  const dialect = typeof schema === 'object' && '$schema' in schema ? String(schema.$schema) : ''
  const Dialect = dialect.includes('2020-12') ? Ajv2020 : dialect.includes('2019-09') ? Ajv2019 : Ajv
  const ajv = new Dialect(UNKNOWN_KEYWORDS_ARE_ALLOWED)
  try {
    for (const { name, text: referenced } of references) ajv.addSchema(parse(referenced) as object, name)
    return ajv.compile(schema)
  } catch (error) {
    if (error instanceof RangeError) throw new Error('expected a schema that is not nested so deeply')
    throw error
  }
}

/** The schema as a value. Throws Error where the text is none. */
export const jsonSchemaOf = ({ text }: Pick<EventSchema, 'text'>) => parse(text) as JsonSchema

function parse(text: string): object | boolean {
  const schema: unknown = JSON.parse(text)
  if (
    typeof schema === 'boolean' ||
    (typeof schema === 'object' && schema !== null && !Array.isArray(schema))
  )
    return schema
  throw new Error('expected a JSON Schema: an object, true or false')
}
