import type { DatabaseSync, StatementSync } from 'node:sqlite'

export const REJECTED_MIGRATION = `
  CREATE TABLE rejected (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    kafka_offset TEXT NOT NULL,
    reason TEXT NOT NULL,
    key BLOB,
    value BLOB,
    rejected_at TEXT NOT NULL,
    PRIMARY KEY (topic, partition, kafka_offset)
  ) STRICT
`

/** Where a record came from, and its bytes. */
export interface RejectedRecord {
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/**
 * Records that are no event of the shop. A consumer that throws on one reads it again for ever and holds up its
 * partition; one that skips it loses it. So it is put aside, with its bytes and the reason: see GET /rejected.
 */
export class Rejected {
  readonly #insert: StatementSync
  readonly #latest: StatementSync

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(`
      INSERT INTO rejected (topic, partition, kafka_offset, reason, key, value, rejected_at)
      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`)
    this.#latest = database.prepare(`
      SELECT topic, partition, kafka_offset AS offset, reason, rejected_at AS rejectedAt
      FROM rejected ORDER BY rejected_at DESC LIMIT 100`)
  }

  keep({ topic, partition, offset, key, value }: RejectedRecord, reason: string): void {
    this.#insert.run(topic, partition, offset, reason, key, value, new Date().toISOString())
  }

  latest(): readonly unknown[] {
    return this.#latest.all()
  }
}
