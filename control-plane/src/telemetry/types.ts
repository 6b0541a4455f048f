/**
 * What the telemetry API answers with, and the dashboard draws. The form is public: `weft -o json` prints it too.
 * Times of spans are decimal texts of nanoseconds since 1970 (a JSON number cannot hold them); durations are milliseconds.
 */

export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'
export type SpanStatus = 'unset' | 'ok' | 'error'
export type AttributeValue = string | number | boolean | readonly AttributeValue[]
export type Attributes = Readonly<Record<string, AttributeValue>>

interface SpanEventJson {
  readonly name: string
  readonly timeUnixNano: string
  readonly attributes: Attributes
}

export interface SpanJson {
  /** 16 lower-case hexadecimal digits. */
  readonly spanId: string
  readonly parentSpanId?: string
  /** The parent is named but has not arrived: it may still, or it was never sampled, or it was lost. */
  readonly parentMissing?: true
  readonly name: string
  readonly kind: SpanKind
  /** `service.name`: the service account of the sidecar that saw it. */
  readonly service: string
  /** The other side: a SPIFFE id or a service name (`weft.peer`, else `server.address`). */
  readonly peer?: string
  readonly topic?: string
  readonly startTimeUnixNano: string
  readonly durationMs: number
  readonly status: SpanStatus
  /** What the span says about its status; absent where it says nothing. */
  readonly statusMessage?: string
  readonly attributes: Attributes
  readonly events: readonly SpanEventJson[]
}

/** The time that an event lay in its topic: from the end of the send to the start of the processing. */
export interface WaitJson {
  readonly topic: string
  readonly fromSpanId: string
  readonly toSpanId: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly waitMs: number
  /** The consumer started before the producer did: the clocks of the two hosts differ, and the wait says nothing. */
  readonly clockSkew?: true
}

export interface TraceSummary {
  /** 32 lower-case hexadecimal digits. */
  readonly traceId: string
  /** Name of the span without a parent; of the earliest span while that one has not arrived. */
  readonly rootName: string
  /** `POST /orders` of the root span, where it is a request. */
  readonly rootTarget?: string
  readonly startTimeUnixMs: number
  /** From the first start to the last end. */
  readonly durationMs: number
  /** In order of first appearance. */
  readonly services: readonly string[]
  readonly topics: readonly string[]
  /** `error` as soon as one span is. */
  readonly status: SpanStatus
  readonly spanCount: number
  /** Spans that came after the trace was full, and were not kept. */
  readonly droppedSpans?: number
}

export interface TraceJson extends TraceSummary {
  /** By start; a parent before its children where both start at once. */
  readonly spans: readonly SpanJson[]
  readonly waits: readonly WaitJson[]
}

export interface ServiceNode {
  readonly id: string
  readonly kind: 'service'
  readonly name: string
  /** Absent where no Workload is known for it: only seen in traffic. */
  readonly instances?: { readonly connected: number; readonly total: number }
  readonly mtls: boolean
}

/** Callers without an identity: what comes in at an ingress listener. */
interface IngressNode {
  readonly id: 'ingress'
  readonly kind: 'ingress'
  readonly name: 'ingress'
}

export interface TopicNode {
  readonly id: string
  readonly kind: 'topic'
  readonly name: string
  /** Absent where no Topic resource is known for it. */
  readonly partitions?: number
  /** Records in it now; absent where the broker has not been asked. */
  readonly records?: number
  readonly deadLetterOf?: { readonly topic: string; readonly group: string }
}

export type GraphNode = ServiceNode | IngressNode | TopicNode

export interface Counts {
  readonly total: number
  readonly failed: number
  readonly refused: number
}

export interface GraphEdge {
  /** http: service to service. produce, consume: `source` is the service, `destination` the topic. */
  readonly kind: 'http' | 'produce' | 'consume'
  readonly source: string
  readonly destination: string
  /** Consumer group, for consume. */
  readonly group?: string
  /** Over the last 10 seconds; `ratePerSecond` counts every attempt, failed and refused ones too. */
  readonly ratePerSecond: number
  readonly failedPerSecond: number
  readonly refusedPerSecond: number
  /** Over the last 60 seconds, for what is too rare to have a rate. */
  readonly lastMinute: Counts
  /** Since the control plane started. */
  readonly total: number
  readonly refusedTotal: number
  /** The newest outcome is a refusal by policy. */
  readonly refusing?: true
  /** Mean latency over the last 10 seconds, or the last 60 where those were silent. */
  readonly meanMs?: number
  /** Records that the group has not committed yet. */
  readonly lag?: number
  /** Permitted or subscribed by a resource, and no sidecar has reported it yet. */
  readonly configured?: true
}

export interface Graph {
  readonly generatedAtUnixMs: number
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

/** A fault of a watched file, as GET /api/v1/faults shows it; what the dashboard reads of it. */
export interface FaultView {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  readonly path?: string
  readonly message: string
}

export interface MeshStatus {
  readonly sidecars: { readonly connected: number; readonly total: number }
  /** Sidecars that run on an older version than the newest one, or refused it. */
  readonly behind: readonly string[]
  readonly version?: number
  readonly faults: readonly FaultView[]
}
