import type { Deadline, Metadata } from '@grpc/grpc-js'
import { MAX_TIMEOUT_MS, timeoutOf } from '../publish/head.ts'
import type { CallSettings } from './publisher.ts'

interface Call {
  readonly metadata: Metadata
  getDeadline(): Deadline
}

/** Of a call with a deadline the broker has what is left of it; else what it has over HTTP. Throws `invalid_event`. */
export function settingsOf(call: Call): CallSettings {
  const leftMs = Math.floor(Number(call.getDeadline()) - Date.now())
  const timeoutMs = Number.isFinite(leftMs)
    ? Math.min(MAX_TIMEOUT_MS, Math.max(1, leftMs))
    : timeoutOf(textOf(call.metadata, 'weft-timeout-ms'))
  return { traceparent: textOf(call.metadata, 'traceparent'), timeoutMs }
}

function textOf(metadata: Metadata, name: string): string | undefined {
  const [value] = metadata.get(name)
  return typeof value === 'string' ? value : undefined
}
