import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Committer } from './committer.ts'

function scene() {
  const committable = new Map<number, bigint>()
  const commits: [number, bigint][][] = []
  const state: { fail: boolean; gate: Promise<void> } = { fail: false, gate: Promise.resolve() }
  const committer = new Committer({
    committable: () => committable,
    commit: async (offsets) => {
      commits.push([...offsets])
      await state.gate
      if (state.fail) throw new Error('no')
    },
    onFailure: () => {},
  })
  return { committable, commits, committer, state }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('commits what has moved, soon, and not again', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { committable, commits, committer } = scene()
  committable.set(0, 5n).set(1, 7n)
  committer.begin(1, 7n)
  committer.release()
  t.mock.timers.tick(100)
  await settle()
  assert.deepEqual(commits, [[[0, 5n]]])
  committer.note()
  t.mock.timers.tick(100)
  await settle()
  assert.equal(commits.length, 1)
})

test('many acknowledgements do not wait for the interval, and the last ones are not forgotten', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { committable, commits, committer, state } = scene()
  const { promise, resolve } = Promise.withResolvers<void>()
  committer.release()
  state.gate = promise
  committable.set(0, 500n)
  for (let count = 0; count < 500; count++) committer.note()
  assert.deepEqual(commits, [[[0, 500n]]])
  // While the commit is under way:
  committable.set(0, 1_000n)
  for (let count = 0; count < 500; count++) committer.note()
  resolve()
  await settle()
  t.mock.timers.tick(100)
  await settle()
  assert.deepEqual(commits.at(-1), [[0, 1_000n]])
})

test('a failed commit is repeated', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { committable, commits, committer, state } = scene()
  committable.set(0, 5n)
  state.fail = true
  committer.release()
  t.mock.timers.tick(100)
  await settle()
  state.fail = false
  t.mock.timers.tick(1_000)
  await settle()
  assert.deepEqual(commits, [[[0, 5n]], [[0, 5n]]])
})

test('hold waits for the commit under way and begins no other', async () => {
  const { committable, commits, committer, state } = scene()
  const { promise, resolve } = Promise.withResolvers<void>()
  state.gate = promise
  committer.release()
  committable.set(0, 1n)
  for (let count = 0; count < 500; count++) committer.note()
  let held = false
  const holding = committer.hold().then(() => {
    held = true
  })
  committable.set(0, 2n)
  for (let count = 0; count < 500; count++) committer.note()
  await settle()
  assert.equal(held, false)
  resolve()
  await holding
  assert.deepEqual(commits, [[[0, 1n]]])
  assert.equal(await committer.flush(), true)
  assert.deepEqual(commits.at(-1), [[0, 2n]])
})
