import type { StateFolder } from './state.ts'
import type { Tether } from './tether.ts'

/** What happened to a part of the mesh: one line of progress. */
export interface Progress {
  readonly part: string
  readonly state: 'starting' | 'ready' | 'stopping' | 'stopped' | 'failed' | 'note'
  /** How long it took to get there. */
  readonly ms?: number
  readonly detail?: string
}

/** What every part of one mesh stands on. */
export interface Ground {
  readonly tether: Tether
  readonly state: StateFolder
  /** Environment for children, free of what is meant for this process. */
  readonly env: NodeJS.ProcessEnv
  /** Aborted when the mesh stops or a part has crashed; the reason is why. */
  readonly signal: AbortSignal
  readonly report: (progress: Progress) => void
  /** Each line that any process writes. */
  readonly onLog: (part: string, line: string) => void
  /** A part ended that should not have: the whole mesh stops. */
  readonly crash: (error: Error) => void
}

/**
 * Settings of an own process come from `weft up` alone: what the shell holds for another one does not leak into it.
 * KAFKA_BROKERS says where the mesh finds its broker; an app that read it too would go round its sidecar.
 */
export function childEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = ['WEFT_LOG_LEVEL', 'WEFT_CACHE_DIR']
  const isOurs = (name: string): boolean => /^(WEFT_|KAFKA_BROKERS$|KAFKA_SECURITY$)/.test(name)
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isOurs(name) || kept.includes(name)))
}
