import { createHash, randomUUID } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { inTransaction } from '../chassis/database.ts'
import { INBOX_MIGRATION, Inbox } from '../chassis/inbox.ts'
import { OUTBOX_MIGRATION, type Outbox } from '../chassis/outbox.ts'
import { type TraceHeaders, traceIdOf } from '../chassis/trace.ts'
import { ORDER_CREATED, type OrderCreated, PAYMENT_COMPLETED, type ShopEvent } from '../events/shop-events.ts'

export interface NewOrder {
  readonly productId: string
  readonly quantity: number
  readonly unitPriceCents: number
  readonly currency: string
  readonly card: string
}

export interface Order {
  readonly orderId: string
  readonly productId: string
  readonly quantity: number
  readonly amountCents: number
  readonly currency: string
  /** pending → paid, or pending → cancelled; both are final. */
  readonly status: 'pending' | 'paid' | 'cancelled'
  /** Why it was cancelled, as the payment said. */
  readonly reason: string | null
  /** The trace of the click; null outside of a mesh. */
  readonly traceId: string | null
  /** RFC 3339. */
  readonly createdAt: string
  readonly updatedAt: string
}

export type Settlement =
  | 'settled'
  /** The event had its effect already. */
  | 'duplicate'
  /** The order was final before: it stays what it is. */
  | 'already-final'
  | 'unknown-order'

const ORDERS_MIGRATION = `
  CREATE TABLE orders (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id TEXT NOT NULL UNIQUE,
    product_id TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    amount_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'paid', 'cancelled')),
    reason TEXT,
    trace_id TEXT,
    idempotency_key TEXT UNIQUE,
    fingerprint TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
  ) STRICT
`
export const ORDER_MIGRATIONS = [`${ORDERS_MIGRATION}; ${INBOX_MIGRATION}; ${OUTBOX_MIGRATION}`]

const ORDERS_TOPIC = 'orders'
const EVENT_SOURCE = '/order-service'
const COLUMNS = `order_id AS orderId, product_id AS productId, quantity, amount_cents AS amountCents, currency,
  status, reason, trace_id AS traceId, created_at AS createdAt, updated_at AS updatedAt`

/** The same Idempotency-Key came with another order: one of the two is a mistake. */
export class IdempotencyConflictError extends Error {}

/** The orders, and the rule that a final one never changes. */
export class Orders {
  readonly #database: DatabaseSync
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #insert: StatementSync
  readonly #byKey: StatementSync
  readonly #fingerprint: StatementSync
  readonly #byId: StatementSync
  readonly #latest: StatementSync
  readonly #settle: StatementSync
  readonly #count: StatementSync

  constructor(database: DatabaseSync, outbox: Outbox) {
    this.#database = database
    this.#outbox = outbox
    this.#inbox = new Inbox(database)
    this.#insert = database.prepare(`
      INSERT INTO orders (order_id, product_id, quantity, amount_cents, currency, status, trace_id,
        idempotency_key, fingerprint, created_at, updated_at)
      VALUES (?, ?, ?, ?, ?, 'pending', ?, ?, ?, ?, ?)`)
    this.#byKey = database.prepare(`SELECT ${COLUMNS} FROM orders WHERE idempotency_key = ?`)
    this.#fingerprint = database.prepare('SELECT fingerprint FROM orders WHERE order_id = ?')
    this.#byId = database.prepare(`SELECT ${COLUMNS} FROM orders WHERE order_id = ?`)
    this.#latest = database.prepare(`SELECT ${COLUMNS} FROM orders ORDER BY sequence DESC LIMIT ?`)
    this.#settle = database.prepare(
      `UPDATE orders SET status = ?, reason = ?, updated_at = ? WHERE order_id = ? AND status = 'pending'`,
    )
    this.#count = database.prepare('SELECT count(*) AS orders FROM orders')
  }

  /**
   * Stores the order and the event that tells of it in one transaction. A request that comes again with its
   * key gets the order that is there; throws IdempotencyConflictError if it asks for something else.
   */
  place(
    wanted: NewOrder,
    request: { readonly idempotencyKey?: string | undefined; readonly trace: TraceHeaders },
  ): { readonly order: Order; readonly replayed: boolean } {
    const fingerprint = fingerprintOf(wanted)
    return inTransaction(this.#database, () => {
      const known =
        request.idempotencyKey === undefined ? undefined : this.byIdempotencyKey(request.idempotencyKey)
      if (known !== undefined) {
        if (this.#fingerprint.get(known.orderId)?.fingerprint !== fingerprint)
          throw new IdempotencyConflictError('this Idempotency-Key belongs to another order; make a new key')
        return { order: known, replayed: true }
      }
      const order: Order = {
        orderId: randomUUID(),
        productId: wanted.productId,
        quantity: wanted.quantity,
        amountCents: wanted.unitPriceCents * wanted.quantity,
        currency: wanted.currency,
        status: 'pending',
        reason: null,
        traceId: traceIdOf(request.trace) ?? null,
        createdAt: new Date().toISOString(),
        updatedAt: new Date().toISOString(),
      }
      this.#store(order, request.idempotencyKey ?? null, fingerprint)
      this.#tell(order, wanted.card, request.trace)
      return { order, replayed: false }
    })
  }

  /** Closes the order that the payment is for. Each event has one effect; a final order never changes again. */
  settle(payment: Exclude<ShopEvent, { readonly type: typeof ORDER_CREATED }>): Settlement {
    const { orderId } = payment.data
    if (this.get(orderId) === undefined) return 'unknown-order'
    const [status, reason] =
      payment.type === PAYMENT_COMPLETED ? ['paid', null] : ['cancelled', payment.data.reason]
    return this.#inbox.once(payment, () => {
      const { changes } = this.#settle.run(status, reason, new Date().toISOString(), orderId)
      return changes === 1 ? 'settled' : 'already-final'
    })
  }

  get(orderId: string): Order | undefined {
    return this.#byId.get(orderId) as unknown as Order | undefined
  }

  byIdempotencyKey(key: string): Order | undefined {
    return this.#byKey.get(key) as unknown as Order | undefined
  }

  /** Newest first. */
  latest(limit: number): readonly Order[] {
    return this.#latest.all(limit) as unknown as readonly Order[]
  }

  count(): number {
    return (this.#count.get() as { readonly orders: number } | undefined)?.orders ?? 0
  }

  #store(order: Order, idempotencyKey: string | null, fingerprint: string): void {
    this.#insert.run(
      order.orderId,
      order.productId,
      order.quantity,
      order.amountCents,
      order.currency,
      order.traceId,
      idempotencyKey,
      fingerprint,
      order.createdAt,
      order.updatedAt,
    )
  }

  #tell(order: Order, card: string, trace: TraceHeaders): void {
    const { orderId, productId, quantity, amountCents, currency } = order
    const data: OrderCreated = { orderId, productId, quantity, amountCents, currency, card }
    this.#outbox.add(
      ORDERS_TOPIC,
      {
        id: randomUUID(),
        source: EVENT_SOURCE,
        type: ORDER_CREATED,
        subject: orderId,
        time: order.createdAt,
        data,
      },
      trace,
    )
  }
}

/** What makes two requests the same wish; the price is not the customer's, and may change in between. */
const fingerprintOf = ({ productId, quantity, card }: NewOrder): string =>
  createHash('sha256')
    .update(JSON.stringify([productId, quantity, card]))
    .digest('base64url')
