import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { CloudEvent } from '../events/cloud-event.ts'
import type { TraceHeaders } from './trace.ts'

export const OUTBOX_MIGRATION = `
  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    key TEXT NOT NULL,
    event TEXT NOT NULL,
    trace TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    parked INTEGER NOT NULL DEFAULT 0,
    last_error TEXT
  ) STRICT;
  CREATE INDEX outbox_by_key ON outbox (key, position)
`

/** An event that is stored and not yet acknowledged by the broker. */
export interface OutboxEntry {
  readonly position: number
  readonly topic: string
  /** Entries of one key are published in order, one at a time. */
  readonly key: string
  readonly event: CloudEvent<unknown>
  /** Of the request that caused the event, however long ago that was. */
  readonly trace: TraceHeaders
  readonly attempts: number
}

/** What `GET /outbox` shows: nothing that waits or is parked stays unseen. */
export interface OutboxSummary {
  readonly waiting: number
  readonly parked: readonly {
    readonly eventId: string
    readonly key: string
    readonly attempts: number
    readonly error: string
  }[]
}

interface Row {
  readonly position: number
  readonly topic: string
  readonly key: string
  readonly event: string
  readonly trace: string
  readonly attempts: number
  readonly last_error: string | null
}

const MAX_PARKED_SHOWN = 100
const MAX_ERROR_LENGTH = 500

/**
 * Events waiting to be published, in the database of the service: `add` runs in the transaction that makes
 * the change which the event tells of, so that there is never one without the other.
 */
export class Outbox {
  readonly #insert: StatementSync
  readonly #due: StatementSync
  readonly #nextDueAt: StatementSync
  readonly #delete: StatementSync
  readonly #postpone: StatementSync
  readonly #park: StatementSync
  readonly #count: StatementSync
  readonly #parked: StatementSync

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare('INSERT INTO outbox (topic, key, event, trace) VALUES (?, ?, ?, ?)')
    // Only the oldest entry of each key may go. A parked one holds back what follows it: order is the promise.
    this.#due = database.prepare(`
      SELECT * FROM outbox AS entry
      WHERE parked = 0 AND next_attempt_at <= ?
        AND NOT EXISTS (SELECT 1 FROM outbox AS older WHERE older.key = entry.key AND older.position < entry.position)
      ORDER BY position LIMIT ?`)
    this.#nextDueAt = database.prepare(
      'SELECT min(next_attempt_at) AS at FROM outbox WHERE parked = 0 AND next_attempt_at > ?',
    )
    this.#delete = database.prepare('DELETE FROM outbox WHERE position = ?')
    this.#postpone = database.prepare(
      'UPDATE outbox SET attempts = attempts + 1, next_attempt_at = ?, last_error = ? WHERE position = ?',
    )
    this.#park = database.prepare(
      'UPDATE outbox SET attempts = attempts + 1, parked = 1, last_error = ? WHERE position = ?',
    )
    this.#count = database.prepare('SELECT count(*) AS waiting FROM outbox WHERE parked = 0')
    this.#parked = database.prepare('SELECT * FROM outbox WHERE parked = 1 ORDER BY position LIMIT ?')
    // A restart is how one says "the cause is mended": what was parked gets another chance.
    database.exec('UPDATE outbox SET parked = 0, next_attempt_at = 0')
  }

  /** To be called inside of the transaction that changes the state. */
  add(topic: string, event: CloudEvent<unknown>, trace: TraceHeaders): void {
    this.#insert.run(topic, event.subject, JSON.stringify(event), JSON.stringify(trace))
  }

  /** What may be published now (epoch milliseconds): at most one entry per key. */
  due(now: number, limit: number): readonly OutboxEntry[] {
    return (this.#due.all(now, limit) as unknown as readonly Row[]).map(toEntry)
  }

  /** When the next entry that waits for its retry is due; undefined if none waits. */
  nextDueAt(now: number): number | undefined {
    return (this.#nextDueAt.get(now) as { readonly at: number | null } | undefined)?.at ?? undefined
  }

  published(entry: OutboxEntry): void {
    this.#delete.run(entry.position)
  }

  postpone(entry: OutboxEntry, until: number, error: string): void {
    this.#postpone.run(until, error.slice(0, MAX_ERROR_LENGTH), entry.position)
  }

  /** No more attempts until the next start; the entry stays. */
  park(entry: OutboxEntry, error: string): void {
    this.#park.run(error.slice(0, MAX_ERROR_LENGTH), entry.position)
  }

  summary(): OutboxSummary {
    const rows = this.#parked.all(MAX_PARKED_SHOWN) as unknown as readonly Row[]
    return {
      waiting: (this.#count.get() as { readonly waiting: number } | undefined)?.waiting ?? 0,
      parked: rows.map((row) => ({
        eventId: toEntry(row).event.id,
        key: row.key,
        attempts: row.attempts,
        error: row.last_error ?? '',
      })),
    }
  }
}

function toEntry({ position, topic, key, event, trace, attempts }: Row): OutboxEntry {
  return {
    position,
    topic,
    key,
    event: JSON.parse(event) as CloudEvent<unknown>,
    trace: JSON.parse(trace) as TraceHeaders,
    attempts,
  }
}
