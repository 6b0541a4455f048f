import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { inTransaction } from './database.ts'

/** Longer than any topic of the shop keeps its records: nothing older can come again. */
const REMEMBERED_MS = 30 * 24 * 60 * 60 * 1000

export const INBOX_MIGRATION = `
  CREATE TABLE inbox (
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    handled_at INTEGER NOT NULL,
    PRIMARY KEY (source, event_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX inbox_by_age ON inbox (handled_at)
`

/**
 * Delivery is at least once: the same event comes twice after a crash, a rebalance or an answer that was lost.
 * The inbox makes its effect happen once, because the effect and the event's id are stored in one transaction.
 */
export class Inbox {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync

  constructor(database: DatabaseSync) {
    this.#database = database
    database.prepare('DELETE FROM inbox WHERE handled_at < ?').run(Date.now() - REMEMBERED_MS)
    this.#insert = database.prepare(
      'INSERT OR IGNORE INTO inbox (source, event_id, handled_at) VALUES (?, ?, ?)',
    )
  }

  /** Runs `effect` unless this event (CloudEvents: source and id) had its effect already. If it throws, nothing was stored. */
  once<T>(event: { readonly source: string; readonly id: string }, effect: () => T): T | 'duplicate' {
    return inTransaction(this.#database, () => {
      const { changes } = this.#insert.run(event.source, event.id, Date.now())
      return changes === 0 ? 'duplicate' : effect()
    })
  }
}
