import type { TraceHeaders } from '../chassis/trace.ts'
import { HttpError } from '../chassis/web-app.ts'

interface PlacedOrder {
  readonly orderId: string
  readonly status: string
}

interface OrderView extends PlacedOrder {
  readonly traceId: string | null
  readonly [member: string]: unknown
}

/** What order-service asks for; see its routes. */
interface OrderRequest {
  readonly productId: string
  readonly quantity: number
  readonly unitPriceCents: number
  readonly currency: string
  readonly card: string
}

/** order-service, as product-service calls it. Failures are HttpErrors for our own caller. */
export interface OrderClient {
  place(order: OrderRequest, idempotencyKey: string | undefined, trace: TraceHeaders): Promise<PlacedOrder>
  get(orderId: string, trace: TraceHeaders): Promise<OrderView>
  /** The order that was placed with this key, if one was. */
  byKey(idempotencyKey: string, trace: TraceHeaders): Promise<OrderView | undefined>
  latest(limit: string | undefined, trace: TraceHeaders): Promise<readonly OrderView[]>
}

/** Less than the mesh's own route timeout (15 s): the customer hears from us, with the advice that is right. */
const TIMEOUT_MS = 10_000
/** Their answer is about the customer's request, and says it better than we could. */
const PASSED_ON: ReadonlySet<number> = new Set([400, 404, 409, 422])

/** Plain fetch: in a mesh, HTTP_PROXY takes it to the sidecar, which finds order-service, proves who we are and encrypts. */
export function createOrderClient(baseUrl: string): OrderClient {
  const call = async (path: string, trace: TraceHeaders, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(`${baseUrl}${path}`, {
      ...init,
      headers: { accept: 'application/json', ...trace, ...(init.headers as Record<string, string>) },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => {
      throw notReached(error)
    })
    const body: unknown = await response.json().catch(() => undefined)
    if (!response.ok) throw refused(response.status, body)
    if (body === undefined) throw notReached(new Error('the answer was cut off, or is not JSON'))
    return body
  }
  const list = async (query: Record<string, string>, trace: TraceHeaders): Promise<readonly OrderView[]> => {
    const answer = await call(`/orders?${new URLSearchParams(query).toString()}`, trace)
    return (answer as { readonly orders: readonly OrderView[] }).orders
  }
  return {
    async place(order, idempotencyKey, trace) {
      const headers = {
        'content-type': 'application/json',
        ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
      }
      return (await call('/orders', trace, {
        method: 'POST',
        headers,
        body: JSON.stringify(order),
      })) as PlacedOrder
    },
    async get(orderId, trace) {
      return (await call(`/orders/${orderId}`, trace)) as OrderView
    },
    async byKey(idempotencyKey, trace) {
      return (await list({ idempotencyKey }, trace))[0]
    },
    latest: (limit, trace) => list(limit === undefined ? {} : { limit }, trace),
  }
}

const TRY_AGAIN = 'try again with the same Idempotency-Key'

/** Whether the order was stored is not known here: only the same key makes asking again safe. The cause is for our log. */
function notReached(cause: unknown): HttpError {
  const error = new HttpError(503, `order-service did not answer; ${TRY_AGAIN}`)
  error.cause = cause
  return error
}

function refused(status: number, body: unknown): HttpError {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as Readonly<Record<string, unknown>>
  const detail = typeof problem.detail === 'string' ? problem.detail : `it answered ${status}`
  if (PASSED_ON.has(status)) return new HttpError(status, detail)
  const upstream = { status, code: problem.code, policy: problem.policy }
  // Something on the way is away, late or full. Anything else (a policy's 403 among it) is our own affair, not the customer's.
  if (status >= 502 && status <= 504)
    return new HttpError(503, `order-service did not answer: ${detail}; ${TRY_AGAIN}`, { upstream })
  return new HttpError(502, `order-service could not be asked: ${detail}`, { upstream })
}
