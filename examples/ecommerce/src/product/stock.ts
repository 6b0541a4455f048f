import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { inTransaction } from '../chassis/database.ts'
import { INBOX_MIGRATION, Inbox } from '../chassis/inbox.ts'
import type { CloudEvent } from '../events/cloud-event.ts'
import type { OrderCreated, PaymentFailed } from '../events/shop-events.ts'
import type { CatalogueEntry } from './catalogue.ts'

export interface Product {
  readonly productId: string
  readonly name: string
  readonly description: string
  readonly priceCents: number
  /** Pieces that nobody ordered; never below 0. */
  readonly stock: number
}

export type Reservation =
  | 'reserved'
  /** Two bought the last piece at the same moment: this order waits for one that is given back. */
  | 'backorder'
  /** The payment had failed before the order was heard of: nothing is taken. */
  | 'already-released'
  | 'duplicate'
  | 'unknown-product'

export type Release = 'released' | 'nothing-to-release' | 'duplicate'

const PRODUCTS_MIGRATION = `
  CREATE TABLE products (
    product_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
    stock INTEGER NOT NULL CHECK (stock >= 0)
  ) STRICT;
  CREATE TABLE reservations (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    order_id TEXT NOT NULL UNIQUE,
    product_id TEXT,
    quantity INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('reserved', 'backorder', 'released'))
  ) STRICT;
  CREATE INDEX reservations_waiting ON reservations (product_id, sequence) WHERE state = 'backorder'
`
export const PRODUCT_MIGRATIONS = [`${PRODUCTS_MIGRATION}; ${INBOX_MIGRATION}`]

const COLUMNS = 'product_id AS productId, name, description, price_cents AS priceCents, stock'

interface ReservationRow {
  readonly order_id: string
  readonly product_id: string | null
  readonly quantity: number
  readonly state: 'reserved' | 'backorder' | 'released'
}

/**
 * The stock, moved by two events that come from two topics, so in any order:
 *
 *     OrderCreated            PaymentFailed
 *     (none) → reserved         reserved  → released, stock given back
 *     (none) → backorder        backorder → released
 *     released: stays           (none)    → released, so that a later OrderCreated takes nothing
 */
export class Stock {
  readonly #inbox: Inbox
  readonly #all: StatementSync
  readonly #one: StatementSync
  readonly #take: StatementSync
  readonly #giveBack: StatementSync
  readonly #reservation: StatementSync
  readonly #insertReservation: StatementSync
  readonly #setState: StatementSync
  readonly #waiting: StatementSync

  constructor(database: DatabaseSync, catalogue: readonly CatalogueEntry[]) {
    this.#inbox = new Inbox(database)
    this.#all = database.prepare(`SELECT ${COLUMNS} FROM products ORDER BY rowid`)
    this.#one = database.prepare(`SELECT ${COLUMNS} FROM products WHERE product_id = ?`)
    this.#take = database.prepare('UPDATE products SET stock = stock - ? WHERE product_id = ? AND stock >= ?')
    this.#giveBack = database.prepare('UPDATE products SET stock = stock + ? WHERE product_id = ?')
    this.#reservation = database.prepare('SELECT * FROM reservations WHERE order_id = ?')
    this.#insertReservation = database.prepare(
      'INSERT INTO reservations (order_id, product_id, quantity, state) VALUES (?, ?, ?, ?)',
    )
    this.#setState = database.prepare('UPDATE reservations SET state = ? WHERE order_id = ?')
    this.#waiting = database.prepare(
      "SELECT * FROM reservations WHERE product_id = ? AND state = 'backorder' ORDER BY sequence",
    )
    addMissing(database, catalogue)
  }

  products(): readonly Product[] {
    return this.#all.all() as unknown as readonly Product[]
  }

  product(productId: string): Product | undefined {
    return this.#one.get(productId) as unknown as Product | undefined
  }

  /** OrderCreated: takes the pieces, or notes that they are owed. */
  reserve(event: CloudEvent<OrderCreated>): Reservation {
    const { orderId, productId, quantity } = event.data
    if (this.product(productId) === undefined) return 'unknown-product'
    return this.#inbox.once(event, (): Reservation => {
      const known = this.#find(orderId)
      if (known !== undefined) return known.state === 'released' ? 'already-released' : 'duplicate'
      const state = this.#tryTake(productId, quantity) ? 'reserved' : 'backorder'
      this.#insertReservation.run(orderId, productId, quantity, state)
      return state
    })
  }

  /** PaymentFailed: gives the pieces back, first to those who wait for them. */
  release(event: CloudEvent<PaymentFailed>): Release {
    const { orderId } = event.data
    return this.#inbox.once(event, (): Release => {
      const known = this.#find(orderId)
      if (known === undefined) {
        // Order of events: order-service publishes OrderCreated; billing reads it first, declines, publishes
        // PaymentFailed; the sidecar delivers that here while our OrderCreated is still on its way.
        this.#insertReservation.run(orderId, null, 0, 'released')
        return 'nothing-to-release'
      }
      if (known.state === 'released') return 'duplicate'
      this.#setState.run('released', orderId)
      if (known.state === 'backorder' || known.product_id === null) return 'nothing-to-release'
      this.#giveBack.run(known.quantity, known.product_id)
      this.#fillBackorders(known.product_id)
      return 'released'
    })
  }

  #find(orderId: string): ReservationRow | undefined {
    return this.#reservation.get(orderId) as unknown as ReservationRow | undefined
  }

  #tryTake(productId: string, quantity: number): boolean {
    return this.#take.run(quantity, productId, quantity).changes === 1
  }

  /** First come, first served: a large order is not overtaken by a small one behind it. */
  #fillBackorders(productId: string): void {
    for (const waiting of this.#waiting.all(productId) as unknown as readonly ReservationRow[]) {
      if (!this.#tryTake(productId, waiting.quantity)) return
      this.#setState.run('reserved', waiting.order_id)
    }
  }
}

/** A product that is there keeps its stock. */
function addMissing(database: DatabaseSync, catalogue: readonly CatalogueEntry[]): void {
  const insert = database.prepare(
    'INSERT OR IGNORE INTO products (product_id, name, description, price_cents, stock) VALUES (?, ?, ?, ?, ?)',
  )
  inTransaction(database, () => {
    for (const { productId, name, description, priceCents, stock } of catalogue)
      insert.run(productId, name, description, priceCents, stock)
  })
}
