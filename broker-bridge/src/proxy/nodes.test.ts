import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { Nodes } from './nodes.ts'

test('a broker keeps its local port for ever, wherever it moves', async () => {
  const accepted: number[] = []
  const nodes = new Nodes({
    host: '127.0.0.1',
    afterPort: 0,
    accept: (client, nodeId) => {
      accepted.push(nodeId)
      client.destroy()
    },
  })
  const opening = nodes.place(4, { host: 'old', port: 1 })
  assert.equal(nodes.place(4, { host: 'old', port: 1 }), opening) // asked again while the listener opens: one listener
  const port = await opening
  await nodes.place(5, { host: 'other', port: 1 })

  assert.equal(nodes.place(4, { host: 'new', port: 2 }), port)
  assert.deepEqual(nodes.addressOf(4), { host: 'new', port: 2 })
  assert.equal(nodes.ports().get('4'), port)
  assert.equal(nodes.ports().size, 2)

  await once(connect(port, '127.0.0.1'), 'close')
  assert.deepEqual(accepted, [4])
  nodes.close()
})

test('after a change of cluster a node has no address until a broker names it again', async () => {
  const nodes = new Nodes({ host: '127.0.0.1', afterPort: 0, accept: () => {} })
  await nodes.place(1, { host: 'old', port: 1 })
  nodes.forgetAddresses()
  assert.throws(
    () => nodes.addressOf(1),
    (error) => error instanceof MeshError && error.code === 'connect_failed',
  )
  nodes.close()
})

test('a listener takes the next port that is free after the bootstrap port', async () => {
  const first = new Nodes({ host: '127.0.0.1', afterPort: 0, accept: () => {} })
  const taken = await first.place(1, { host: 'x', port: 1 })
  const second = new Nodes({ host: '127.0.0.1', afterPort: taken - 1, accept: () => {} })
  assert.ok((await second.place(1, { host: 'x', port: 1 })) > taken)
  first.close()
  second.close()
})
