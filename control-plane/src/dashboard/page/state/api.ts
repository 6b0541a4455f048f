import type { TraceJson, TraceSummary } from '../../../telemetry/types.ts'

/** Undefined for 404; throws for anything else that is no success. */
async function getJson<T>(path: string, signal?: AbortSignal): Promise<T | undefined> {
  const response = await fetch(path, { headers: { accept: 'application/json' }, ...(signal && { signal }) })
  if (response.status === 404) return undefined
  if (!response.ok) throw new Error(`${path}: ${response.status}`)
  return (await response.json()) as T
}

export const fetchTrace = (traceId: string, signal?: AbortSignal): Promise<TraceJson | undefined> =>
  getJson(`/api/v1/traces/${encodeURIComponent(traceId)}`, signal)

export async function fetchTraces(query: Readonly<Record<string, string>>): Promise<readonly TraceSummary[]> {
  const answer = await getJson<{ items: readonly TraceSummary[] }>(
    `/api/v1/traces?${new URLSearchParams(query)}`,
  )
  return answer?.items ?? []
}
