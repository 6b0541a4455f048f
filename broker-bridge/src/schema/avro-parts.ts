/** What is used of a type of avsc: its types name their parts, the typings do not. */
import type { Type } from '@weft/schemas/event-schema'

export interface Field {
  readonly name: string
  readonly type: Type
  defaultValue(): unknown
}

/** The parts of a type, as far as it has any of that kind. */
interface Parts {
  readonly fields: readonly Field[]
  readonly types: readonly Type[]
  readonly symbols: readonly string[]
  readonly itemsType: Type
  readonly valuesType: Type
  readonly size: number
}

export const partsOf = (type: Type): Parts => type as unknown as Parts

/** `long` is a type of our own (schemas/event-schema), which avsc calls abstract. */
export type Shape =
  | 'null'
  | 'boolean'
  | 'int'
  | 'abstract:long'
  | 'float'
  | 'double'
  | 'bytes'
  | 'string'
  | 'array'
  | 'map'
  | 'record'
  | 'error'
  | 'enum'
  | 'fixed'
  | 'union:wrapped'

export const shapeOf = (type: Type): Shape => type.typeName as Shape

/** As the schema calls it: `long`, `Order`, `["null","string"]`. */
export function nameOf(type: Type): string {
  const shape = shapeOf(type)
  if (shape === 'abstract:long') return 'long'
  if (shape === 'union:wrapped') return `[${partsOf(type).types.map(nameOf).join(', ')}]`
  return type.name ?? shape
}
