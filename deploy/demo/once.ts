import type { Mesh } from '@weft/control-plane/cli/mesh'
import { refusedCall, refusedProduce } from './refusals.ts'
import {
  buy,
  DECLINED_CARD,
  missingSpans,
  stockOf,
  type Trace,
  until,
  untilClosed,
  untilTraced,
} from './shop.ts'

export interface Played {
  /** What happened, for a person. */
  readonly account: readonly string[]
  /** What did not hold; empty when all of it did. */
  readonly faults: readonly string[]
  readonly result: {
    readonly orderId: string
    readonly status: string
    readonly traceId: string
    /** How many. */
    readonly spans: number
    readonly services: readonly string[]
    readonly topics: readonly string[]
    /** The HTTP status and the Kafka error with which billing-service was refused what no policy allows. */
    readonly denied: { readonly http: number; readonly kafka: string }
  }
}

/** One paid order with its trace, one declined, two refusals. Throws where the flow does not get to its end at all. */
export async function playOnce(mesh: Mesh): Promise<Played> {
  const account: string[] = []
  const faults: string[] = []
  const expect = (holds: boolean, fault: string) => void (holds || faults.push(fault))

  const stock = await stockOf(mesh)
  const placed = await buy(mesh)
  const closed = await untilClosed(mesh, placed.orderId)
  account.push(`Buy Now: order ${placed.orderId} was ${placed.status}, then ${closed.status}`)
  expect(closed.status === 'paid', `a good card should end in paid, not in ${closed.status}`)

  const trace = await untilTraced(mesh, placed.traceId)
  account.push(...describe(trace))
  faults.push(...missingSpans(trace))

  const declined = await buy(mesh, DECLINED_CARD)
  const cancelled = await untilClosed(mesh, declined.orderId)
  account.push(`A declined card: order ${declined.orderId} was ${declined.status}, then ${cancelled.status}`)
  expect(
    cancelled.status === 'cancelled',
    `a declined card should end in cancelled, not in ${cancelled.status}`,
  )
  const isGivenBack = async () => ((await stockOf(mesh)) === stock - 1 ? true : undefined)
  const givenBack = await until('the stock is given back', 10_000, isGivenBack).catch(() => false)
  expect(givenBack, 'the stock of the cancelled order was not given back')
  if (givenBack) account.push(`  its stock was given back: ${stock - 1} left of ${stock}`)

  const http = await refusedCall(mesh)
  account.push(`billing-service called order-service: ${http.status}, ${http.detail}`)
  expect(http.status === 403, `billing-service should be refused with 403, not with ${http.status}`)
  const kafka = await refusedProduce(mesh)
  account.push(`billing-service produced to orders with its own Kafka client: ${kafka}`)
  expect(
    kafka === 'TOPIC_AUTHORIZATION_FAILED',
    `billing-service should be refused with TOPIC_AUTHORIZATION_FAILED, not with ${kafka}`,
  )

  const { services, topics, traceId } = trace
  const denied = { http: http.status, kafka }
  return {
    account,
    faults,
    result: {
      orderId: placed.orderId,
      status: closed.status,
      traceId,
      spans: trace.spans.length,
      services,
      topics,
      denied,
    },
  }
}

/** The trace as an indented list, with the time that each event waited in its topic. */
function describe(trace: Trace): string[] {
  const depth = (spanId: string | undefined): number => {
    const span = trace.spans.find((each) => each.spanId === spanId)
    return span?.parentSpanId === undefined ? 0 : 1 + depth(span.parentSpanId)
  }
  const spans = trace.spans.map(({ spanId, name, kind, service }) => {
    const wait = trace.waits.find((each) => each.toSpanId === spanId)
    const waited = wait === undefined ? '' : `, after ${wait.waitMs.toFixed(1)} ms in ${wait.topic}`
    return `  ${'  '.repeat(depth(spanId))}${name} (${kind}, ${service}${waited})`
  })
  return [
    `One trace of ${trace.spans.length} spans, ${trace.durationMs.toFixed(0)} ms: ${trace.traceId}`,
    ...spans,
  ]
}
