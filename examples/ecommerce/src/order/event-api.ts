import type { OutboxEntry } from '../chassis/outbox.ts'
import type { Published } from '../chassis/relay.ts'
import { toHttpHeaders } from '../events/cloud-event.ts'

/** Longer than the sidecar waits for the broker; after it, the event is sent again with the same id. */
const PUBLISH_TIMEOUT_MS = 10_000

/**
 * Refusals that say nothing about the event: identity and policy (401, 403) and topic (404) are mended by
 * somebody while we run, the others ask for patience. Every other 4xx would be the same for ever.
 */
const MENDED_ELSEWHERE: ReadonlySet<number> = new Set([401, 403, 404, 408, 425, 429])

/** Publishes an entry through the sidecar's event API: plain HTTP, answered after the broker has acknowledged. */
export async function publishByHttp(eventsUrl: string, entry: OutboxEntry): Promise<Published> {
  const response = await fetch(`${eventsUrl}/v1/topics/${encodeURIComponent(entry.topic)}/events`, {
    method: 'POST',
    headers: { ...toHttpHeaders(entry.event), ...entry.trace },
    body: JSON.stringify(entry.event.data),
    signal: AbortSignal.timeout(PUBLISH_TIMEOUT_MS),
    redirect: 'manual',
  })
  const answer = await response.text()
  if (response.ok) return { result: 'published' }
  const isPermanent =
    response.status >= 400 && response.status < 500 && !MENDED_ELSEWHERE.has(response.status)
  return {
    result: isPermanent ? 'park' : 'retry',
    reason: `${response.status} ${answer.slice(0, 400)}`.trim(),
  }
}
