import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import type { CloudEvent } from '../events/cloud-event.ts'
import {
  ORDER_CREATED,
  type OrderCreated,
  PAYMENT_COMPLETED,
  PAYMENT_FAILED,
  type PaymentCompleted,
  type PaymentFailed,
} from '../events/shop-events.ts'
import { openDatabase } from './database.ts'
import type { Log } from './log.ts'
import { createWebApp } from './web-app.ts'

/** What a sidecar adds to a request that is sampled. */
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
export const TRACEPARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`

export const silentLog: Log = createWebApp({ name: 'test', logLevel: 'silent', isReady: () => true }).log

/** A folder that is gone after the test. */
export function tempFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'weft-shop-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A real database in a folder that is gone after the test. */
export function tempDatabase(context: TestContext, migrations: readonly string[]): DatabaseSync {
  const folder = mkdtempSync(join(tmpdir(), 'weft-shop-'))
  const database = openDatabase(folder, 'test', migrations)
  context.after(() => {
    if (database.isOpen) database.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return database
}

/** Stands for a neighbour that cannot be started here: a sidecar, or another service behind it. */
export async function startNeighbour(
  context: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => answer(request, response, body))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface EventOverrides<Data> {
  readonly id?: string
  readonly data?: Partial<Data>
}

export function orderCreated(
  overrides: EventOverrides<OrderCreated> = {},
): CloudEvent<OrderCreated> & { type: typeof ORDER_CREATED } {
  const data = {
    orderId: 'order-1',
    productId: 'linen-scarf',
    quantity: 1,
    amountCents: 4900,
    currency: 'EUR',
    card: '4242424242424242',
    ...overrides.data,
  }
  return { ...envelope('/order-service', overrides.id ?? 'created-1', data), type: ORDER_CREATED }
}

export function paymentCompleted(
  overrides: EventOverrides<PaymentCompleted> = {},
): CloudEvent<PaymentCompleted> & { type: typeof PAYMENT_COMPLETED } {
  const data = {
    paymentId: 'payment-1',
    orderId: 'order-1',
    amountCents: 4900,
    currency: 'EUR',
    ...overrides.data,
  }
  return { ...envelope('/billing-service', overrides.id ?? 'completed-1', data), type: PAYMENT_COMPLETED }
}

export function paymentFailed(
  overrides: EventOverrides<PaymentFailed> = {},
): CloudEvent<PaymentFailed> & { type: typeof PAYMENT_FAILED } {
  const data = {
    paymentId: 'payment-1',
    orderId: 'order-1',
    amountCents: 4900,
    currency: 'EUR',
    reason: 'insufficient_funds',
    ...overrides.data,
  }
  return { ...envelope('/billing-service', overrides.id ?? 'failed-1', data), type: PAYMENT_FAILED }
}

function envelope<Data extends { readonly orderId: string }>(source: string, id: string, data: Data) {
  return { id, source, subject: data.orderId, time: '2026-11-21T06:00:00.000Z', data }
}
