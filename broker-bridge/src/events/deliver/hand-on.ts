/** A record that leaves its subscription: into the dead letter, or to wait for a later attempt. It is acknowledged by the broker, not before. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@weft/schemas/node/log'
import type { Producer } from '../produce/producer.ts'
import type { OutgoingRecord } from '../produce/record.ts'
import { backoffMs } from './backoff.ts'

/** When to stop. `lost`: the partition is no longer ours, break off. `ending`: end what is under way, begin nothing. */
export interface DeliverSignals {
  readonly lost: AbortSignal
  readonly ending: AbortSignal
}

export interface DeliverHooks {
  /** The record's partition must hand out nothing more until the record is written elsewhere. */
  readonly onBlocked: (blocked: boolean) => void
}

export interface HandOn {
  readonly topic: string
  readonly record: OutgoingRecord
  /** For the log. */
  readonly about: Readonly<Record<string, unknown>>
}

/** The broker has this long before it is tried again. */
const WRITE_TIMEOUT_MS = 10_000
const WRITE_BACKOFF = { backoffBaseMs: 100, backoffMaxMs: 5_000 }

/**
 * Until it is written the partition stands still: skipping the record would lose it, passing it would hide that. False where the
 * partition was lost before, or meanwhile: then somebody else delivers the record once more.
 */
export async function handOn(
  { producer, log }: { readonly producer: Producer; readonly log: Log },
  { topic, record, about }: HandOn,
  control: DeliverSignals & DeliverHooks,
): Promise<boolean> {
  control.onBlocked(true)
  try {
    for (let attempt = 1; ; attempt++) {
      if (control.lost.aborted) return false
      try {
        await producer.publish(topic, record, WRITE_TIMEOUT_MS)
        return !control.lost.aborted
      } catch (error) {
        log.error(
          { ...about, to: topic, why: String(error) },
          'a record cannot be written: its partition waits',
        )
        if (!(await pause(backoffMs(WRITE_BACKOFF, attempt, undefined), control))) return false
      }
    }
  } finally {
    control.onBlocked(false)
  }
}

/** False where the wait was cut short: the partition is lost, or the sidecar stops. */
export async function pause(ms: number, control: DeliverSignals): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal: AbortSignal.any([control.lost, control.ending]) })
    return true
  } catch {
    return false
  }
}
