/** What the loom is made of, in words and signs. */
import type { GraphEdge } from '../../../telemetry/types.ts'
import { words } from '../strings.ts'

export type State = 'ok' | 'warn' | 'bad' | 'silent'

export interface Column {
  readonly name: string
  readonly kind: 'service' | 'ingress'
  readonly detail: string
  readonly state: State
  readonly spoken: string
}

export interface Row {
  readonly name: string
  readonly detail: string
  readonly state: State
  /** The topic whose dead letters these are. */
  readonly parent?: string
  readonly spoken: string
}

export interface Call {
  readonly key: string
  readonly source: string
  readonly destination: string
  readonly label: string
  readonly state: State
  readonly spoken: string
}

export interface Knot {
  readonly key: string
  readonly service: string
  readonly topic: string
  readonly kind: 'produce' | 'consume'
  /** The newest outcome is a refusal: ✕ in place of the triangle. */
  readonly refused: boolean
  readonly groups: readonly string[]
  readonly label: string
  readonly state: State
  readonly spoken: string
}

export interface Facts {
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly calls: readonly Call[]
  readonly knots: readonly Knot[]
}

/** Several groups of one service on one topic are one knot: it shows their sum. */
export interface MergedEdge extends GraphEdge {
  readonly groups: readonly string[]
}

export const keyOf = (kind: GraphEdge['kind'], source: string, destination: string): string =>
  `${kind} ${source} ${destination}`

export const stateWord = (state: State, refused: boolean): string =>
  refused ? words.refusedState : words.state[state]
