import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_TOPIC_ID } from '../wire/codec.ts'
import { TopicIds, topicKey } from './topic-ids.ts'

const ID = Buffer.alloc(16, 7)
const nobody = () => Promise.reject(new Error('nobody asks in this test'))

test('a topic has its name, or the one that was learned for its id', () => {
  const ids = new TopicIds(nobody)
  assert.equal(ids.nameOf({ name: 'orders', topicId: NO_TOPIC_ID }), 'orders')
  assert.equal(ids.nameOf({ name: '', topicId: ID }), undefined)
  ids.learn({ name: 'orders', topicId: ID })
  assert.equal(ids.nameOf({ name: null, topicId: ID }), 'orders')
})

test('an answer about a topic that is not there teaches nothing', () => {
  const ids = new TopicIds(nobody)
  ids.learn({ name: null, topicId: ID })
  ids.learn({ name: 'orders', topicId: NO_TOPIC_ID })
  assert.equal(ids.nameOf({ name: '', topicId: ID }), undefined)
})

test('a broker is asked for the ids that are not known, and for those only', async () => {
  const asked: (readonly Buffer[])[] = []
  const ids = new TopicIds(async (unknown) => {
    asked.push(unknown)
    return [{ name: 'orders', topicId: ID }]
  })
  const other = Buffer.alloc(16, 9)
  ids.learn({ name: 'payments', topicId: other })
  await ids.resolve([{ topicId: ID }, { topicId: other }])
  assert.deepEqual(asked, [[ID]])
  assert.equal(ids.resolve([{ topicId: ID }, { topicId: other }]), undefined)
})

test('topics are told apart by id where they have one, else by name', () => {
  assert.equal(topicKey({ name: 'a', topicId: NO_TOPIC_ID }), 'a')
  assert.equal(topicKey({ name: '', topicId: ID }), topicKey({ name: null, topicId: Buffer.from(ID) }))
})
