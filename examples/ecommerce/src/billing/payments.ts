import { randomUUID } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { INBOX_MIGRATION, Inbox } from '../chassis/inbox.ts'
import { OUTBOX_MIGRATION, type Outbox } from '../chassis/outbox.ts'
import type { TraceHeaders } from '../chassis/trace.ts'
import type { CloudEvent } from '../events/cloud-event.ts'
import {
  type OrderCreated,
  PAYMENT_COMPLETED,
  PAYMENT_FAILED,
  type PaymentCompleted,
  type PaymentFailed,
} from '../events/shop-events.ts'
import { chargeCard } from './card-processor.ts'
import { REJECTED_MIGRATION } from './rejected.ts'

export interface Payment {
  readonly paymentId: string
  readonly orderId: string
  readonly amountCents: number
  readonly currency: string
  readonly status: 'completed' | 'failed'
  readonly reason: string | null
  /** RFC 3339. */
  readonly createdAt: string
}

export type Taken = 'completed' | 'failed' | 'duplicate'

const PAYMENTS_MIGRATION = `
  CREATE TABLE payments (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    payment_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL UNIQUE,
    amount_cents INTEGER NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
    reason TEXT,
    created_at TEXT NOT NULL
  ) STRICT
`
export const BILLING_MIGRATIONS = [
  `${PAYMENTS_MIGRATION}; ${INBOX_MIGRATION}; ${OUTBOX_MIGRATION}; ${REJECTED_MIGRATION}`,
]

const PAYMENTS_TOPIC = 'payments'
const EVENT_SOURCE = '/billing-service'
const COLUMNS = `payment_id AS paymentId, order_id AS orderId, amount_cents AS amountCents, currency, status,
  reason, created_at AS createdAt`

/**
 * One payment per order. The payment, the id of the event that asked for it and the event that tells of it are
 * stored in one transaction, so that a kill at any moment leaves all three or none, and the record is read again.
 */
export class Payments {
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #insert: StatementSync
  readonly #byOrder: StatementSync
  readonly #latest: StatementSync

  constructor(database: DatabaseSync, outbox: Outbox) {
    this.#inbox = new Inbox(database)
    this.#outbox = outbox
    // The second guard: an order that is announced by two different events is paid once all the same.
    this.#insert = database.prepare(`
      INSERT INTO payments (payment_id, order_id, amount_cents, currency, status, reason, created_at)
      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (order_id) DO NOTHING`)
    this.#byOrder = database.prepare(`SELECT ${COLUMNS} FROM payments WHERE order_id = ?`)
    this.#latest = database.prepare(`SELECT ${COLUMNS} FROM payments ORDER BY sequence DESC LIMIT ?`)
  }

  /** Takes the payment for an order and puts its event into the outbox, under the trace of the order. */
  take(event: CloudEvent<OrderCreated>, trace: TraceHeaders): Taken {
    const { orderId, amountCents, currency, card } = event.data
    const charge = chargeCard(card)
    return this.#inbox.once(event, (): Taken => {
      const paymentId = randomUUID()
      const createdAt = new Date().toISOString()
      const status = charge.result === 'charged' ? 'completed' : 'failed'
      const reason = charge.result === 'charged' ? null : charge.reason
      const row = [paymentId, orderId, amountCents, currency, status, reason, createdAt] as const
      if (this.#insert.run(...row).changes === 0) return 'duplicate'
      const paid: PaymentCompleted = { paymentId, orderId, amountCents, currency }
      const failed: PaymentFailed | undefined = reason === null ? undefined : { ...paid, reason }
      this.#outbox.add(
        PAYMENTS_TOPIC,
        {
          id: randomUUID(),
          source: EVENT_SOURCE,
          type: failed === undefined ? PAYMENT_COMPLETED : PAYMENT_FAILED,
          subject: orderId,
          time: createdAt,
          data: failed ?? paid,
        },
        trace,
      )
      return status
    })
  }

  byOrder(orderId: string): readonly Payment[] {
    return this.#byOrder.all(orderId) as unknown as readonly Payment[]
  }

  /** Newest first. */
  latest(limit: number): readonly Payment[] {
    return this.#latest.all(limit) as unknown as readonly Payment[]
  }
}
