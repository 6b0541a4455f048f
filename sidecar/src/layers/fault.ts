/** Faults that are made on purpose: requests that are held back, and requests that are answered in the place of the service. */
import { MeshError, toProblem } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'
import type { FaultInjection } from '@weft/schemas/snapshot'
import {
  ANSWERED,
  type Fields,
  type RequestHandler,
  type RequestHead,
  type ResponseHandler,
  type Service,
} from '../transport/exchange.ts'
import { WaitingExchange } from '../transport/waiting-exchange.ts'
import { matchesHeaders } from './header-match.ts'

export interface FaultOptions {
  /** The first whose headers match applies. */
  readonly faults: readonly FaultInjection[]
  readonly delays: DelayBudget
  readonly metrics: Metrics
}

/** Each holds a request and its connection: more than this many at once would be a fault of our own. */
const MAX_DELAYED = 1_000

/** Requests that are held back, of all services together. One that finds no place is not held back. */
export class DelayBudget {
  #held = 0

  tryTake(): boolean {
    if (this.#held >= MAX_DELAYED) return false
    this.#held++
    return true
  }

  release(): void {
    this.#held--
  }
}

export function injectFaults(inner: Service, { faults, delays, metrics }: FaultOptions): Service {
  if (faults.length === 0) return inner
  const injected = metrics.counter('weft_faults_injected_total')
  const count = ({ notes }: RequestHead, kind: 'delay' | 'abort'): void =>
    injected.inc({ destination: notes.destination, kind })

  return {
    call(head, response) {
      const fault = faults.find(({ headers }) => matchesHeaders(head.fields, headers))
      const { abort, delay } = fault ?? {}
      let rest = inner
      if (abort !== undefined && isDrawn(abort.percent)) {
        count(head, 'abort')
        rest = aborting(abort)
      }
      if (delay === undefined || !isDrawn(delay.percent) || !delays.tryTake())
        return rest.call(head, response)
      count(head, 'delay')
      return hold(rest, { head, response, delays, delayMs: delay.fixedMs })
    },
  }
}

const isDrawn = (percent: number): boolean => Math.random() * 100 < percent

interface Held {
  readonly head: RequestHead
  readonly response: ResponseHandler
  readonly delays: DelayBudget
  readonly delayMs: number
}

/** What has come of the body meanwhile is little, because the caller is paused. */
function hold(inner: Service, { head, response, delays, delayMs }: Held): RequestHandler {
  const timer = setTimeout(() => {
    delays.release()
    held.attach(inner)
  }, delayMs)
  const held = new WaitingExchange(
    {
      onWaitCancelled() {
        clearTimeout(timer)
        delays.release()
      },
    },
    head,
    response,
  )
  return held
}

/** Answers as the service would: a problem document, or a gRPC status without a message body. */
function aborting({ httpStatus, grpcStatus }: NonNullable<FaultInjection['abort']>): Service {
  return {
    call(head, response) {
      const error = new MeshError(
        'fault_injected',
        `a TrafficPolicy of ${head.notes.service} aborts this request`,
      )
      head.notes.error = error.row.id
      const status = httpStatus ?? 200
      const body = httpStatus === undefined ? '' : JSON.stringify({ ...toProblem(error), status })
      const fields: Fields =
        grpcStatus === undefined
          ? ['content-type', 'application/problem+json']
          : [
              'content-type',
              'application/grpc',
              'grpc-status',
              String(grpcStatus),
              'grpc-message',
              error.message,
            ]
      response.onHead({ status, fields, length: Buffer.byteLength(body) })
      if (body !== '') response.onData(Buffer.from(body))
      response.onEnd(undefined)
      return ANSWERED
    },
  }
}
