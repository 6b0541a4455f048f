/** JSON Schema fragments that several kinds share. */
import { DEFAULT_NAMESPACE } from '../defaults.ts'
import type { FormatName } from '../formats.ts'
import { apiVersionOf, type Kind } from '../types.ts'
import type { JsonSchema } from './definition.ts'

export const text = (format: FormatName, description: string): JsonSchema => ({
  type: 'string',
  format,
  description,
})

export const wholeNumber = (minimum: number, maximum: number, description: string): JsonSchema => ({
  type: 'integer',
  minimum,
  maximum,
  description,
})

export const port = (description: string): JsonSchema => wholeNumber(1, 65_535, description)

export const oneOf = (values: readonly string[], description: string): JsonSchema => ({
  type: 'string',
  enum: values,
  description,
})

export const onlyTrue = (description: string): JsonSchema => ({ type: 'boolean', const: true, description })

/** A map with known members and no others. */
export const map = (
  properties: Readonly<Record<string, JsonSchema>>,
  required: readonly string[] = [],
): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties,
  required,
})

/** A map of which exactly one of the known members is present. */
export const exactlyOne = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  ...map(properties),
  minProperties: 1,
  maxProperties: 1,
})

export const list = (items: JsonSchema, description: string, maxItems = 1000): JsonSchema => ({
  type: 'array',
  items,
  minItems: 1,
  maxItems,
  description,
})

/** A list that may be empty, where the kind is another standard's and says so. */
export const anyList = (items: JsonSchema, description: string, maxItems: number): JsonSchema => ({
  ...list(items, description, maxItems),
  minItems: 0,
})

export const labels = (description: string): JsonSchema => ({
  type: 'object',
  propertyNames: { type: 'string', format: 'label-key' },
  additionalProperties: text('label-value', 'A label value.'),
  maxProperties: 64,
  description,
})

interface ResourceParts {
  readonly kind: Kind
  readonly spec: JsonSchema
  readonly name?: JsonSchema
  readonly namespace?: JsonSchema
}

/** The schema of a whole resource around that of its spec. */
export function resource(parts: ResourceParts): JsonSchema {
  const name = parts.name ?? text('dns-name', 'Unique among resources of this kind and namespace.')
  const namespace = parts.namespace ?? text('dns-label', 'The namespace.')
  return map(
    {
      apiVersion: { type: 'string', const: apiVersionOf(parts.kind) },
      kind: { type: 'string', const: parts.kind },
      metadata: map(
        {
          name,
          namespace: { ...namespace, default: DEFAULT_NAMESPACE },
          labels: labels('Free labels; a Service selects workloads by them.'),
        },
        ['name'],
      ),
      spec: parts.spec,
      status: { description: 'What the API adds when a resource is read; ignored when it is written back.' },
    },
    ['apiVersion', 'kind', 'metadata', 'spec'],
  )
}
