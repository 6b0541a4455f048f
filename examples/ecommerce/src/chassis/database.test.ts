import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { inTransaction, openDatabase } from './database.ts'
import { tempDatabase, tempFolder } from './service.test-support.ts'

test('a migration runs once, and a newer one is added to what is there', (context) => {
  const folder = join(tempFolder(context), 'made', 'on', 'demand')
  const first = openDatabase(folder, 'shop', ['CREATE TABLE a (x TEXT)'])
  first.exec("INSERT INTO a VALUES ('kept')")
  first.close()

  const second = openDatabase(folder, 'shop', ['CREATE TABLE a (x TEXT)', 'CREATE TABLE b (y TEXT)'])
  context.after(() => second.close())

  assert.equal(second.prepare('SELECT x FROM a').get()?.x, 'kept')
  assert.equal(second.prepare('SELECT count(*) AS n FROM b').get()?.n, 0)
})

test('a migration that fails leaves nothing of itself', (context) => {
  const folder = tempFolder(context)
  assert.throws(() => openDatabase(folder, 'shop', ['CREATE TABLE a (x TEXT); CREATE TABLE a (x TEXT)']))

  const database = openDatabase(folder, 'shop', ['CREATE TABLE a (x TEXT)'])
  context.after(() => database.close())
  assert.equal(database.prepare('SELECT count(*) AS n FROM a').get()?.n, 0)
})

test('a transaction that throws changes nothing and passes the error on', (context) => {
  const database = tempDatabase(context, ['CREATE TABLE a (x TEXT)'])

  assert.throws(
    () =>
      inTransaction(database, () => {
        database.exec("INSERT INTO a VALUES ('lost')")
        throw new Error('the reason')
      }),
    /the reason/,
  )

  assert.equal(database.prepare('SELECT count(*) AS n FROM a').get()?.n, 0)
  assert.equal(database.isTransaction, false)
})
