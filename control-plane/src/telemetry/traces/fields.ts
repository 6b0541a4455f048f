import type { Span } from '../otlp/draft.ts'

export const toMs = (nanos: bigint): number => Number(nanos) / 1e6

/** The topic that a span sends to or processes from. */
export function topicOf(span: Span): string | undefined {
  const topic = span.attributes['messaging.destination.name']
  return typeof topic === 'string' && topic !== '' ? topic : undefined
}
