import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Opens `<dataDir>/<service>.sqlite` and brings it to the newest form: `migrations` run once each, in order. */
export function openDatabase(dataDir: string, service: string, migrations: readonly string[]): DatabaseSync {
  mkdirSync(dataDir, { recursive: true })
  const database = new DatabaseSync(join(dataDir, `${service}.sqlite`))
  // FULL: what was answered with 201 is on the disk, even if the power fails in the next moment.
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000',
  )
  const version = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0)
  migrations.slice(version).forEach((migration, index) => {
    inTransaction(database, () => database.exec(`${migration}; PRAGMA user_version = ${version + index + 1}`))
  })
  return database
}

/**
 * All of `work` or nothing of it. `work` is synchronous: SQLite has one writer, and a transaction that waits
 * for something else would make everybody wait.
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk or a failed commit has rolled back by itself, and a second ROLLBACK would hide the cause.
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
