/** A customer of the demo's shop, and a reader of its traces: what `npm run demo -- --once` and the tests do. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Mesh } from '@weft/control-plane/cli/mesh'

export const GOOD_CARD = '4242424242424242'
/** The example's card processor declines it. */
export const DECLINED_CARD = '4000000000000002'

export interface Order {
  readonly orderId: string
  readonly status: 'pending' | 'paid' | 'cancelled'
  readonly traceId: string
}

export interface Span {
  readonly spanId: string
  readonly parentSpanId?: string
  readonly parentMissing?: true
  readonly name: string
  readonly kind: string
  readonly service: string
  readonly topic?: string
}

export interface Trace {
  readonly traceId: string
  readonly services: readonly string[]
  readonly topics: readonly string[]
  readonly durationMs: number
  readonly spans: readonly Span[]
  readonly waits: readonly { readonly topic: string; readonly waitMs: number; readonly toSpanId: string }[]
}

const POLL_MS = 50

/** Asks until `question` answers something; throws what it was waiting for after `deadlineMs`. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  question: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + deadlineMs
  for (;;) {
    const answer = await question()
    if (answer !== undefined) return answer
    if (Date.now() > end) throw new Error(`not within ${deadlineMs / 1000} s: ${what}`)
    await delay(POLL_MS)
  }
}

/** The shop's address for callers from outside: the ingress of product-service's sidecar. */
export function shopUrl(mesh: Mesh): string {
  const url = mesh.services.get('product-service')?.ingressUrl
  if (url === undefined) throw new Error('product-service has no ingress')
  return url
}

/** Presses Buy Now. Throws with the shop's own words unless it answers 201. */
export async function buy(mesh: Mesh, card = GOOD_CARD, productId = 'linen-scarf'): Promise<Order> {
  const response = await fetch(`${shopUrl(mesh)}/api/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ productId, quantity: 1, card }),
  })
  if (response.status !== 201)
    throw new Error(`the shop answered ${response.status}: ${await response.text()}`)
  return (await response.json()) as Order
}

/** The order once it is paid or cancelled. */
export function untilClosed(mesh: Mesh, orderId: string, deadlineMs = 30_000): Promise<Order> {
  return until(`order ${orderId} is closed`, deadlineMs, async () => {
    const response = await fetch(`${shopUrl(mesh)}/api/orders/${orderId}`)
    if (!response.ok) return undefined
    const order = (await response.json()) as Order
    return order.status === 'pending' ? undefined : order
  })
}

export async function stockOf(mesh: Mesh, productId = 'linen-scarf'): Promise<number> {
  const response = await fetch(`${shopUrl(mesh)}/api/products`)
  const { products } = (await response.json()) as { products: { productId: string; stock: number }[] }
  const product = products.find((each) => each.productId === productId)
  if (product === undefined) throw new Error(`the shop has no ${productId}`)
  return product.stock
}

/**
 * The trace of a paid order once all its spans are there; after the deadline the trace as it is, for the caller to say what it
 * lacks. The last spans are exported after the order is closed; a send that was tried again leaves one more.
 */
export async function untilTraced(mesh: Mesh, traceId: string, deadlineMs = 20_000): Promise<Trace> {
  const url = `${mesh.controlPlaneUrl}/api/v1/traces/${traceId}`
  const isWhole = async () => {
    const response = await fetch(url)
    return response.ok && missingSpans((await response.json()) as Trace).length === 0 ? true : undefined
  }
  await until(`trace ${traceId} is whole`, deadlineMs, isWhole).catch(() => undefined)
  const response = await fetch(url)
  if (!response.ok) throw new Error(`the control plane has no trace ${traceId}: ${response.status}`)
  return (await response.json()) as Trace
}

/**
 * What one paid order leaves in its trace: kind, name, the service whose sidecar saw it, and the parent by the same
 * words. Two services hear `payments`: order-service to close the order, product-service to give back stock where it failed.
 */
export const EXPECTED_SPANS: readonly (readonly [span: string, parent: string | undefined])[] = [
  ['server POST product-service @product-service', undefined],
  ['client POST order-service @product-service', 'server POST product-service @product-service'],
  ['server POST order-service @order-service', 'client POST order-service @product-service'],
  ['producer send orders @order-service', 'server POST order-service @order-service'],
  ['consumer process orders @product-service', 'producer send orders @order-service'],
  ['consumer process orders @billing-service', 'producer send orders @order-service'],
  ['producer send payments @billing-service', 'consumer process orders @billing-service'],
  ['consumer process payments @order-service', 'producer send payments @billing-service'],
  ['consumer process payments @product-service', 'producer send payments @billing-service'],
]

/** Those of EXPECTED_SPANS that the trace lacks, or has under another parent; one sentence each. */
export function missingSpans(trace: Trace): string[] {
  const found = lineage(trace).map((span) => span.join(' <- '))
  return EXPECTED_SPANS.filter((span) => !found.includes(span.join(' <- '))).map(
    ([span, parent]) => `the trace has no ${span}${parent === undefined ? '' : `, child of ${parent}`}`,
  )
}

/** Each span with its parent, in the form of EXPECTED_SPANS, in the order of the trace. */
function lineage(trace: Trace): (readonly [span: string, parent: string | undefined])[] {
  const words = new Map(
    trace.spans.map((span) => [span.spanId, `${span.kind} ${span.name} @${span.service}`]),
  )
  return trace.spans.map(({ spanId, parentSpanId }) => [
    words.get(spanId) ?? '',
    parentSpanId === undefined ? undefined : (words.get(parentSpanId) ?? `missing ${parentSpanId}`),
  ])
}
