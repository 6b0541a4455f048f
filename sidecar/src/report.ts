import type { MessageInitShape } from '@bufbuild/protobuf'
import type { EdgeSchema } from '@weft/schemas/proto'
import type { Registry } from 'prom-client'

/** One line of the service graph, counted since the process started. */
interface EdgeCount {
  readonly kind: 'http' | 'produce' | 'consume'
  readonly source: string
  readonly destination: string
  readonly group: string
  total: number
  failed: number
  refused: number
  durationSeconds: number
}

type EdgeInit = MessageInitShape<typeof EdgeSchema>

/** Below this a status is no failure of the service; 403 is counted as refused. */
const FIRST_FAILED_STATUS = 500

/**
 * Reads the edges of the service graph out of the metrics: there is one count of everything, and it is the
 * one that Prometheus sees. HTTP edges are those of the inbound side, plus the requests that never reached
 * a peer, which only the outbound side saw.
 */
export function edgeReporter(registry: Registry, serviceAccount: string): () => Promise<EdgeInit[]> {
  return async () => {
    const edges = new Map<string, EdgeCount>()
    const edge = (kind: EdgeCount['kind'], source: string, destination: string, group = ''): EdgeCount => {
      const key = `${kind} ${source} ${destination} ${group}`
      let found = edges.get(key)
      if (found === undefined) {
        found = { kind, source, destination, group, total: 0, failed: 0, refused: 0, durationSeconds: 0 }
        edges.set(key, found)
      }
      return found
    }

    for (const { labels, value } of await samples(registry, 'weft_http_requests_total')) {
      const status = Number(labels.status)
      // What a peer answered, its inbound side has counted; what this sidecar answered in its place, nobody else has.
      if (labels.direction === 'outbound' && labels.error === '-') continue
      const { destination = '-' } = labels
      // A host that no service has is no node of the graph.
      if (destination === '-') continue
      const counted = edge('http', callerOf(labels), destination)
      counted.total += value
      if (status >= FIRST_FAILED_STATUS) counted.failed += value
      if (status === 403) counted.refused += value
    }
    for (const { labels, value, metricName } of await samples(
      registry,
      'weft_http_request_duration_seconds',
    )) {
      if (metricName !== 'weft_http_request_duration_seconds_sum' || labels.direction !== 'inbound') continue
      edge('http', callerOf(labels), labels.destination ?? '-').durationSeconds += value
    }
    for (const { labels, value } of await samples(registry, 'weft_kafka_records_total')) {
      const kind = labels.operation === 'produce' ? 'produce' : 'consume'
      const group = labels.group === '-' ? '' : (labels.group ?? '')
      const counted = edge(kind, labels.identity ?? serviceAccount, labels.topic ?? '-', group)
      counted.total += value
      if (labels.outcome === 'failed' || labels.outcome === 'dead-letter') counted.failed += value
      if (labels.outcome === 'refused') counted.refused += value
    }
    return [...edges.values()].map((counted) => ({
      ...counted,
      total: BigInt(counted.total),
      failed: BigInt(counted.failed),
      refused: BigInt(counted.refused),
    }))
  }
}

/** Who comes in without an identity comes through the ingress. */
const callerOf = ({ source = '-' }: Sample['labels']): string => (source === '-' ? 'ingress' : source)

interface Sample {
  readonly labels: Readonly<Record<string, string | undefined>>
  readonly value: number
  readonly metricName: string | undefined
}

async function samples(registry: Registry, name: string): Promise<Sample[]> {
  const metric = await registry.getSingleMetric(name)?.get()
  return (metric?.values ?? []).map((sample) => ({
    labels: sample.labels as Sample['labels'],
    value: sample.value,
    metricName: 'metricName' in sample ? String(sample.metricName) : undefined,
  }))
}
