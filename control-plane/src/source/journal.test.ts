import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { changeFiles, completeJournal } from './journal.ts'
import { silent, world } from './source.test-support.ts'

const hash = (text: string) => createHash('sha256').update(text).digest('hex')

test('several changes are made, and no journal is left', async (t) => {
  const { folder, stateDir } = await world(t)
  const [a, b] = [join(folder, 'a'), join(folder, 'b')]
  await writeFile(a, 'old')
  await changeFiles(stateDir, [
    { path: a, before: 'old', after: undefined, mode: 0o600 },
    { path: b, before: undefined, after: 'new', mode: 0o600 },
  ])
  assert.deepEqual(await readdir(folder), ['b'])
  assert.deepEqual(await readdir(stateDir), [])
})

test('where the disk refuses one change, the others are taken back', async (t) => {
  const { folder, stateDir } = await world(t)
  const a = join(folder, 'a')
  await writeFile(a, 'old')
  const changes = [
    { path: a, before: 'old', after: 'new', mode: 0o600 },
    { path: join(folder, 'created'), before: undefined, after: 'new', mode: 0o600 },
    { path: join(folder, 'missing/b'), before: undefined, after: 'new', mode: 0o600 },
  ]
  await assert.rejects(changeFiles(stateDir, changes))
  assert.deepEqual(await readdir(folder), ['a'])
  assert.equal(await readFile(a, 'utf8'), 'old')
  assert.deepEqual(await readdir(stateDir), [])
})

test('a change that a crash has cut is completed; a file that was edited since is left alone', async (t) => {
  const { folder, stateDir } = await world(t)
  const path = (name: string) => join(folder, name)
  await writeFile(path('done'), 'new')
  await writeFile(path('open'), 'old')
  await writeFile(path('edited'), 'by a person')
  await writeFile(path('gone'), 'old')
  const entry = (name: string, after?: string) => ({
    path: path(name),
    beforeHash: hash('old'),
    after,
    mode: 0o600,
  })
  await writeFile(
    join(stateDir, 'journal.json'),
    JSON.stringify([entry('done', 'new'), entry('open', 'new'), entry('edited', 'new'), entry('gone')]),
  )
  await completeJournal(stateDir, silent)
  const texts = await Promise.all(
    (await readdir(folder)).sort().map(async (name) => [name, await readFile(path(name), 'utf8')]),
  )
  assert.deepEqual(texts, [
    ['done', 'new'],
    ['edited', 'by a person'],
    ['open', 'new'],
  ])
  assert.deepEqual(await readdir(stateDir), [])
})

test('a journal that cannot be completed does not stop the start', async (t) => {
  const { folder, stateDir } = await world(t)
  await mkdir(join(folder, 'a'))
  await writeFile(
    join(stateDir, 'journal.json'),
    JSON.stringify([{ path: join(folder, 'x/y'), after: 'new', mode: 0o600 }]),
  )
  await completeJournal(stateDir, silent)
  assert.deepEqual(await readdir(stateDir), ['journal.json'])
})
