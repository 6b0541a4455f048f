import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { topic, topicName, world } from './source.test-support.ts'

const WRITER = join(import.meta.dirname, 'crash-writer.test-support.ts')
const ROUNDS = 6

test('kill -9 at any moment leaves the old or the new state, whole, and everything that was answered', async (t) => {
  const { folder, stateDir, write, open } = await world(t)
  await write('a.yaml', `# a comment\n${topic('other')}---\n${topic('watched')}`)
  let least = 10
  for (let round = 0; round < ROUNDS; round++) {
    const answered = await killWhileWriting({
      stateDir,
      folder,
      from: least,
      lines: 2 + round,
      delayMs: round,
    })
    const store = await open()
    assert.deepEqual(store.faults(), [])
    const [own, watched] = ['own', 'watched'].map((name) => {
      const found = store.find(topicName(name))?.resource
      return found?.kind === 'Topic' ? found.spec.partitions : undefined
    })
    // Both were put in one request: they never differ, though they stand in two files.
    assert.equal(own, watched)
    assert.ok((own ?? 0) >= answered && (own ?? 0) <= answered + 1, `answered ${answered}, found ${own}`)
    assert.ok(store.find(topicName('other')))
    await store.close()
    least = (own ?? 0) + 1
  }
})

interface Run {
  readonly stateDir: string
  readonly folder: string
  readonly from: number
  /** Answers to wait for. */
  readonly lines: number
  /** Time after them, so that the blow falls on another moment of a write each time. */
  readonly delayMs: number
}

/** The last value that the writer was told is durable. */
async function killWhileWriting({ stateDir, folder, from, lines, delayMs }: Run): Promise<number> {
  const writer = spawn(process.execPath, [WRITER, stateDir, folder, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(writer, 'exit')
  let last = 0
  let count = 0
  for await (const line of createInterface({ input: writer.stdout })) {
    last = Number(line)
    count += 1
    if (count === lines) setTimeout(() => writer.kill('SIGKILL'), delayMs)
  }
  await exited
  return last
}
