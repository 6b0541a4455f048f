import { type Tracer, trace } from '@opentelemetry/api'

export interface Tracing {
  readonly tracer: Tracer
  /** Sends what is still buffered. */
  shutdown(): Promise<void>
}

/** Spans wait this long for company: short, because somebody is looking at the trace of the click just made. */
const EXPORT_DELAY_MS = 500
/** A collector that is away costs memory up to this many spans, then the newest are dropped. */
const MAX_QUEUED_SPANS = 8192

/**
 * Spans go by OTLP/HTTP to each of `endpoints` (base URLs). Sampling was decided before a span is made, so
 * the SDK records every one. The SDK costs 40 MB and 150 ms to load: without an endpoint only its span
 * factory is loaded, which makes valid ids for propagation and records nothing.
 */
export async function startTracing(serviceName: string, endpoints: readonly string[]): Promise<Tracing> {
  if (endpoints.length === 0) {
    const { TracerProvider, AlwaysOffSampler } = await import('@opentelemetry/sdk-trace')
    const provider = new TracerProvider({ sampler: new AlwaysOffSampler() })
    return { tracer: provider.getTracer('weft'), shutdown: () => provider.shutdown() }
  }
  const [
    { NodeSDK },
    { OTLPTraceExporter },
    { AlwaysOnSampler, BatchSpanProcessor },
    { resourceFromAttributes },
  ] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
  ])
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resourceFromAttributes({ 'service.name': serviceName }),
    sampler: new AlwaysOnSampler(),
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    textMapPropagator: null,
    spanProcessors: endpoints.map(
      (endpoint) =>
        new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({
            url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
            timeoutMillis: 5000,
          }),
          scheduledDelayMillis: EXPORT_DELAY_MS,
          maxQueueSize: MAX_QUEUED_SPANS,
        }),
    ),
  })
  sdk.start()
  return { tracer: trace.getTracer('weft'), shutdown: () => sdk.shutdown() }
}
