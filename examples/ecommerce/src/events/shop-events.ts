import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import avsc, { type Schema, type Type } from 'avsc'
import { type CloudEvent, InvalidEventError } from './cloud-event.ts'

/** What order-service says when an order is stored. Money is in hundredths of the currency. */
export interface OrderCreated {
  readonly orderId: string
  readonly productId: string
  readonly quantity: number
  readonly amountCents: number
  readonly currency: string
  readonly card: string
}

/** What billing-service says when the card was charged. */
export interface PaymentCompleted {
  readonly paymentId: string
  readonly orderId: string
  readonly amountCents: number
  readonly currency: string
}

/** What billing-service says when the card was declined. */
export interface PaymentFailed extends PaymentCompleted {
  readonly reason: string
}

export const ORDER_CREATED = 'dev.weft.shop.OrderCreated.v1'
export const PAYMENT_COMPLETED = 'dev.weft.shop.PaymentCompleted.v1'
export const PAYMENT_FAILED = 'dev.weft.shop.PaymentFailed.v1'

/** An event of the shop whose data has been checked; `switch (event.type)` knows the data. */
export type ShopEvent =
  | (CloudEvent<OrderCreated> & { readonly type: typeof ORDER_CREATED })
  | (CloudEvent<PaymentCompleted> & { readonly type: typeof PAYMENT_COMPLETED })
  | (CloudEvent<PaymentFailed> & { readonly type: typeof PAYMENT_FAILED })

/** Where the .avsc files are: beside the repository's services, or where an image puts them. */
const SCHEMA_FOLDER = process.env.EVENT_SCHEMAS_DIR ?? join(import.meta.dirname, '../../../../schemas/avro')

const schema = (file: string): Type =>
  avsc.Type.forSchema(JSON.parse(readFileSync(join(SCHEMA_FOLDER, file), 'utf8')) as Schema)

const SCHEMAS: ReadonlyMap<string, Type> = new Map([
  [ORDER_CREATED, schema('order-created.avsc')],
  [PAYMENT_COMPLETED, schema('payment-completed.avsc')],
  [PAYMENT_FAILED, schema('payment-failed.avsc')],
])

/**
 * Checks the data against the Avro schema of its type. Fields that the schema does not know are let through:
 * the next version of a producer may say more. Undefined for a type that is not the shop's; throws
 * InvalidEventError with every fault.
 */
export function asShopEvent(event: CloudEvent<unknown>): ShopEvent | undefined {
  const type = SCHEMAS.get(event.type)
  if (type === undefined) return undefined
  const faults: string[] = []
  const errorHook = (path: string[], value: unknown, expected: Type) => {
    faults.push(`${path.join('.') || 'data'}: expected ${expected.toString()}, came ${describe(value)}`)
  }
  if (!type.isValid(event.data, { errorHook }))
    throw new InvalidEventError(`${event.type} ${event.id}: ${faults.join('; ')}`)
  return event as ShopEvent
}

/** Never the value itself: it may be a card number on its way into a log. */
const describe = (value: unknown): string => (value === undefined ? 'nothing' : `a ${typeof value}`)
