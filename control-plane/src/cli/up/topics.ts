import { setTimeout as delay } from 'node:timers/promises'
import type { ControlPlaneClient } from '../client.ts'
import { CliError } from '../errors.ts'

/** A topic costs a broker on two busy cores about 50 ms; the control plane asks again after at most 15 s. */
const DEADLINE_MS = 45_000
const POLL_MS = 50

interface TopicList {
  readonly items: readonly {
    readonly metadata: { readonly name: string }
    readonly status?: { readonly kafka?: { readonly state: string; readonly message?: string } }
  }[]
}

/** Resolves when the control plane has made every Topic resource in Kafka. Throws with what the broker says against it. */
export async function untilTopicsExist(client: ControlPlaneClient, signal: AbortSignal): Promise<void> {
  const end = Date.now() + DEADLINE_MS
  while (true) {
    signal.throwIfAborted()
    const { items } = await client.get<TopicList>('/api/v1/resources', { kind: 'Topic' })
    const waiting = items.filter(({ status }) => status?.kafka?.state !== 'ready')
    if (waiting.length === 0) return
    const refused = waiting.filter(({ status }) => status?.kafka?.state === 'error')
    if (refused.length > 0 || Date.now() > end)
      throw new CliError(
        refused.length > 0
          ? 'the broker refuses topics'
          : `topics are not there after ${DEADLINE_MS / 1000} s`,
        {
          faults: waiting.map(({ metadata, status }) => ({
            message: `${metadata.name}: ${status?.kafka?.message ?? 'not created yet'}`,
          })),
        },
      )
    await delay(POLL_MS)
  }
}
