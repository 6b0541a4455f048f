/** The form that each kind's file fills: its JSON Schema, what a schema cannot say, and how defaults are filled in. */
import type { LocatedFault } from '../fault.ts'
import type { Kind, ResourceInputOfKind, ResourceOfKind } from '../types.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

export interface KindDefinition<K extends Kind = Kind> {
  readonly kind: K
  /** Lower case, as in URLs. */
  readonly plural: string
  /** JSON Schema of the whole resource. */
  readonly schema: JsonSchema
  /** Checks across members. Runs on whatever came, so that its faults stand beside the schema's: takes nothing for granted. */
  readonly check: (input: unknown) => readonly LocatedFault[]
  /** The input has passed schema and check. */
  complete(input: ResourceInputOfKind<K>): ResourceOfKind<K>['spec']
}

/** A member of what may be a map. */
export function member(value: unknown, name: string): unknown {
  return isMap(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

/** The entries of what may be a list. */
export function entries(value: unknown): readonly (readonly [index: number, entry: unknown])[] {
  return Array.isArray(value) ? [...value.entries()] : []
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
