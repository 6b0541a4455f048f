/** One order from the click to the closed order, as the sidecars send it: OTLP in JSON. */
import { newSpanId, newTraceId } from '@weft/schemas/trace-context'

const KIND = { server: 2, client: 3, producer: 4, consumer: 5 } as const

interface SpanInput {
  readonly service: string
  readonly name: string
  readonly kind: keyof typeof KIND
  readonly startMs: number
  readonly endMs: number
  readonly topic?: string
  readonly path?: string
  readonly peer?: string
  readonly error?: string
}

export function orderTrace(options: { readonly startUnixMs?: number; readonly isPaid?: boolean }) {
  const { startUnixMs = Date.now(), isPaid = true } = options
  const traceId = newTraceId()
  const groups = new Map<string, object[]>()
  const add = (span: SpanInput, parentSpanId?: string): string => {
    const spanId = newSpanId()
    const json = {
      ...spanJson(span, startUnixMs),
      traceId,
      spanId,
      ...(parentSpanId !== undefined && { parentSpanId }),
    }
    groups.set(span.service, [...(groups.get(span.service) ?? []), json])
    return spanId
  }
  const [product, order, billing, provider, shipping] = SERVICES

  const click = add({
    service: product,
    name: 'product-service',
    kind: 'server',
    startMs: 0,
    endMs: 46,
    path: 'POST /buy',
  })
  const called = add(
    {
      service: product,
      name: 'POST order-service',
      kind: 'client',
      startMs: 6,
      endMs: 41,
      peer: order,
      path: 'POST /orders',
    },
    click,
  )
  const stored = add(
    {
      service: order,
      name: 'order-service',
      kind: 'server',
      startMs: 8,
      endMs: 39,
      peer: sa(product),
      path: 'POST /orders',
    },
    called,
  )
  const sent = add(
    { service: order, name: 'send orders', kind: 'producer', startMs: 19, endMs: 31, topic: 'orders' },
    stored,
  )
  add(
    { service: product, name: 'process orders', kind: 'consumer', startMs: 36, endMs: 44, topic: 'orders' },
    sent,
  )
  const billed = add(
    { service: billing, name: 'process orders', kind: 'consumer', startMs: 88, endMs: 178, topic: 'orders' },
    sent,
  )
  const error = isPaid ? {} : { error: 'the card was declined' }
  add(
    {
      service: billing,
      name: 'POST payment-provider',
      kind: 'client',
      startMs: 93,
      endMs: 158,
      peer: provider,
      path: 'POST /charge',
      ...error,
    },
    billed,
  )
  const paid = add(
    {
      service: billing,
      name: 'send payments',
      kind: 'producer',
      startMs: 161,
      endMs: 172,
      topic: 'payments',
    },
    billed,
  )
  add(
    {
      service: order,
      name: 'process payments',
      kind: 'consumer',
      startMs: 184,
      endMs: 201,
      topic: 'payments',
    },
    paid,
  )
  if (isPaid) {
    const packed = add(
      {
        service: shipping,
        name: 'process payments',
        kind: 'consumer',
        startMs: 190,
        endMs: 226,
        topic: 'payments',
      },
      paid,
    )
    add(
      {
        service: shipping,
        name: 'send shipments',
        kind: 'producer',
        startMs: 209,
        endMs: 220,
        topic: 'shipments',
      },
      packed,
    )
  }

  return {
    traceId,
    body: { resourceSpans: [...groups].map(([service, spans]) => resourceSpans(service, spans)) },
  }
}

export function oneSpan(traceId: string, name: string) {
  const span = { service: 'order-service', name, kind: 'server', startMs: 0, endMs: 5 } as const
  return {
    resourceSpans: [
      resourceSpans(span.service, [{ ...spanJson(span, Date.now()), traceId, spanId: newSpanId() }]),
    ],
  }
}

const SERVICES = [
  'product-service',
  'order-service',
  'billing-service',
  'payment-provider',
  'shipping-service',
] as const

const sa = (service: string): string => `spiffe://weft.local/ns/default/sa/${service}`

const text = (key: string, value: string | undefined) =>
  value === undefined ? [] : [{ key, value: { stringValue: value } }]

function spanJson({ name, kind, startMs, endMs, topic, path, peer, error }: SpanInput, startUnixMs: number) {
  const [method, url] = path?.split(' ') ?? []
  const nanos = (ms: number): string => String((BigInt(startUnixMs) + BigInt(ms)) * 1_000_000n)
  return {
    name,
    kind: KIND[kind],
    startTimeUnixNano: nanos(startMs),
    endTimeUnixNano: nanos(endMs),
    attributes: [
      ...text('http.request.method', method),
      ...text('url.path', url),
      ...text('weft.peer', peer),
      ...(topic === undefined ? [] : text('messaging.system', 'kafka')),
      ...text('messaging.destination.name', topic),
    ],
    status: error === undefined ? {} : { code: 2, message: error },
  }
}

const resourceSpans = (service: string, spans: readonly object[]) => ({
  resource: { attributes: text('service.name', service) },
  scopeSpans: [{ spans }],
})
