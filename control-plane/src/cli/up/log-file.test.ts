import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { finished } from 'node:stream/promises'
import { test } from 'node:test'
import { temporaryFolder } from '../cli.test-support.ts'
import { LogFile } from './log-file.ts'

test('lines go to the file and to the listener; the last twenty are kept', async (t) => {
  const path = join(await temporaryFolder(t), 'a.log')
  const heard: string[] = []
  const log = new LogFile(path, (line) => heard.push(line))
  for (let n = 1; n <= 25; n++) log.line(`line ${n}`)
  await log.close()
  assert.equal((await readFile(path, 'utf8')).split('\n').length, 26)
  assert.equal(heard.length, 25)
  assert.equal(log.tail.length, 20)
  assert.equal(log.tail[0], 'line 6')
  assert.equal((await stat(path)).mode & 0o777, 0o600)
})

test('a line that comes in pieces is one line, characters cut in two included; the last one needs no end', async (t) => {
  const log = new LogFile(join(await temporaryFolder(t), 'a.log'))
  const stream = new PassThrough()
  log.take(stream)
  const euro = Buffer.from('€')
  stream.write('one ')
  stream.write(euro.subarray(0, 1))
  stream.write(euro.subarray(1))
  stream.end('\ntwo')
  await finished(stream)
  assert.deepEqual(log.tail, ['one €', 'two'])
  await log.close()
})

test('a stream without line ends does not fill the memory', async (t) => {
  const log = new LogFile(join(await temporaryFolder(t), 'a.log'))
  const stream = new PassThrough()
  log.take(stream)
  for (let n = 0; n < 20; n++) stream.write('x'.repeat(50_000))
  stream.end()
  await finished(stream)
  assert.equal(log.tail.length, 10)
  assert.ok(log.tail.every((line) => line.length === 100_000))
  await log.close()
})

test('a file that cannot be written costs the lines, not the mesh', async () => {
  const log = new LogFile('/nowhere/a.log')
  log.line('kept in memory')
  await log.close()
  assert.deepEqual(log.tail, ['kept in memory'])
})
