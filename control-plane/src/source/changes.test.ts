import assert from 'node:assert/strict'
import { chmod, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { MeshError } from '@weft/schemas/error'
import { RefusedResources } from './index.ts'
import { names, request, topic, topicName, world, yaml } from './source.test-support.ts'

const code = (expected: string) => (error: unknown) => error instanceof MeshError && error.code === expected

test('a new resource gets a file of its own, as it was written', async (t) => {
  const { stateDir, open } = await world(t)
  const store = await open()
  const result = await store.put(request(topic('a', '{ partitions: 5 }')))
  assert.deepEqual(result.results, [{ ...topicName('a'), result: 'created' }])
  const file = join(stateDir, 'resources/topic.default.a.yaml')
  assert.equal(
    await readFile(file, 'utf8'),
    'apiVersion: mesh.weft.dev/v1\nkind: Topic\nmetadata:\n  name: a\nspec:\n  partitions: 5\n',
  )
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal(store.find(topicName('a'))?.source, 'api')
})

test('what was put is there after a restart', async (t) => {
  const { open } = await world(t)
  const first = await open()
  await first.put(request(`${topic('a')}---\n${topic('b')}`))
  await first.close()
  assert.deepEqual(names(await open()), ['Topic default/a', 'Topic default/b'])
})

test('a resource of a watched file is changed there; other documents and all comments stay', async (t) => {
  const { folder, stateDir, write, open } = await world(t)
  const other = `# before\n${topic('other')}# after\n`
  await write(
    'a.yaml',
    `${other}---\n# about a\n${topic('a', '\n  # why two\n  partitions: 2 # two\n  maxMessageBytes: 5').trimEnd()}\n---\n${topic('last')}`,
  )
  await chmod(join(folder, 'a.yaml'), 0o640)
  const store = await open()
  const result = await store.put(request(topic('a', '{ partitions: 4, maxMessageBytes: 5 }')))
  assert.equal(result.results[0]?.result, 'replaced')
  const text = await readFile(join(folder, 'a.yaml'), 'utf8')
  assert.equal(
    text,
    `${other}---\n# about a\n${topic('a', '\n  # why two\n  partitions: 4 # two\n  maxMessageBytes: 5').replace('spec: \n', 'spec:\n').trimEnd()}\n---\n${topic('last')}`,
  )
  assert.equal((await stat(join(folder, 'a.yaml'))).mode & 0o777, 0o640)
  assert.deepEqual(await readdir(join(stateDir, 'resources')), [])
})

test('what does not change is not written', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('a'))
  const store = await open()
  const before = await stat(join(folder, 'a.yaml'), { bigint: true })
  const version = store.version()
  const result = await store.put(request(topic('a', '{ partitions: 3 }')))
  assert.deepEqual([result.results[0]?.result, result.version], ['unchanged', version])
  assert.equal((await stat(join(folder, 'a.yaml'), { bigint: true })).mtimeNs, before.mtimeNs)
})

test('a symlinked file stays a link when it is edited', async (t) => {
  const { folder, stateDir, open } = await world(t)
  const real = join(stateDir, 'real.yaml')
  await writeFile(real, topic('a'))
  await symlink(real, join(folder, 'a.yaml'))
  const store = await open()
  await store.put(request(topic('a', '{ partitions: 7 }')))
  assert.match(await readFile(real, 'utf8'), /partitions: 7/)
  const found = store.find(topicName('a'))?.resource
  assert.equal(found?.kind === 'Topic' && found.spec.partitions, 7)
})

test('JSON files and lists are edited in place', async (t) => {
  const { folder, write, open } = await world(t)
  const item = (name: string) => ({
    apiVersion: 'mesh.weft.dev/v1',
    kind: 'Topic',
    metadata: { name },
    spec: {},
  })
  await write('a.json', JSON.stringify([item('a'), item('b')]))
  await write('c.yaml', `# list\n- ${JSON.stringify(item('c'))}\n# d\n- ${JSON.stringify(item('d'))}\n`)
  const store = await open()
  await store.put(request(`${topic('a', '{ partitions: 2 }')}---\n${topic('d', '{ partitions: 2 }')}`))
  await store.remove(topicName('b'))
  await store.remove(topicName('c'))
  assert.deepEqual(names(store), ['Topic default/a', 'Topic default/d'])
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'a.json'), 'utf8')), [
    { ...item('a'), spec: { partitions: 2 } },
  ])
  assert.match(await readFile(join(folder, 'c.yaml'), 'utf8'), /^# d\n- /)
})

test('removing takes one document out; the file goes with its last one', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', `# keep\n${topic('a')}---\n${topic('b')}`)
  const store = await open()
  await store.remove(topicName('b'))
  assert.equal(await readFile(join(folder, 'a.yaml'), 'utf8'), `# keep\n${topic('a')}`)
  await store.remove(topicName('a'))
  assert.deepEqual(await readdir(folder), [])
  await assert.rejects(store.remove(topicName('a')), code('not_found'))
})

test('create refuses all when one is there already', async (t) => {
  const { open } = await world(t)
  const store = await open()
  await store.put(request(topic('a'), { mode: 'create' }))
  await assert.rejects(
    store.put(request(`${topic('b')}---\n${topic('a')}`, { mode: 'create' })),
    code('conflict'),
  )
  assert.deepEqual(names(store), ['Topic default/a'])
})

test('an unknown reference refuses the whole request, with places in what was sent', async (t) => {
  const { open } = await world(t)
  const store = await open()
  const text = `${topic('a')}---\n${yaml('Subscription', 's', '{ topic: none, service: nobody, path: / }')}`
  await assert.rejects(store.put(request(text)), (error) => {
    assert.ok(error instanceof RefusedResources)
    assert.deepEqual(
      error.faults.map(({ file, line, path }) => [file, line, path]),
      [
        ['body', 9, 'spec.topic'],
        ['body', 9, 'spec.service'],
      ],
    )
    return true
  })
  assert.deepEqual(names(store), [])
})

test('references within one request hold', async (t) => {
  const { open } = await world(t)
  const store = await open()
  const text = [
    yaml('Subscription', 's', '{ topic: a, service: app, path: / }'),
    topic('a'),
    yaml('Service', 'app', '{ selector: { app: a } }'),
  ].join('---\n')
  const { results } = await store.put(request(text))
  assert.equal(results.length, 3)
})

test('what a change makes wrong elsewhere is a warning of its answer', async (t) => {
  const { open } = await world(t)
  const store = await open()
  await store.put(
    request(
      [
        yaml('Subscription', 's', '{ topic: a, service: app, path: / }'),
        topic('a'),
        yaml('Service', 'app', '{ selector: { app: a } }'),
      ].join('---\n'),
    ),
  )
  const { warnings } = await store.put(request(topic('a', '{ name: renamed }')))
  assert.deepEqual(
    warnings.map(({ path }) => path),
    ['spec.topic'],
  )
})

test('a dry run says what would happen and changes nothing', async (t) => {
  const { stateDir, open } = await world(t)
  const store = await open()
  const version = store.version()
  const { results } = await store.put(request(topic('a'), { dryRun: true }))
  assert.equal(results[0]?.result, 'created')
  assert.deepEqual(await readdir(join(stateDir, 'resources')), [])
  assert.equal(store.version(), version)
})

test('a change goes with the ETag that it was made for, and with no other', async (t) => {
  const { open } = await world(t)
  const store = await open()
  await assert.rejects(store.put(request(topic('a'), { ifMatch: '*' })), code('precondition_failed'))
  await store.put(request(topic('a')))
  const etag = store.find(topicName('a'))?.etag ?? ''
  await store.put(request(topic('a', '{ partitions: 4 }'), { ifMatch: etag }))
  await assert.rejects(
    store.put(request(topic('a', '{ partitions: 5 }'), { ifMatch: etag })),
    code('precondition_failed'),
  )
  await assert.rejects(store.remove(topicName('a'), { ifMatch: etag }), code('precondition_failed'))
  await store.remove(topicName('a'), { ifMatch: '*' })
})

test('of many changes at once with one ETag exactly one is made', async (t) => {
  const { open } = await world(t)
  const store = await open()
  await store.put(request(topic('a')))
  const etag = store.find(topicName('a'))?.etag ?? ''
  const puts = Array.from({ length: 8 }, (_, index) =>
    store.put(request(topic('a', `{ partitions: ${10 + index} }`), { ifMatch: etag })),
  )
  const settled = await Promise.allSettled(puts)
  assert.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('many changes at once of one file all arrive', async (t) => {
  const { folder, write, open } = await world(t)
  const all = Array.from({ length: 10 }, (_, index) => `t${index}`)
  await write('a.yaml', all.map((name) => topic(name)).join('---\n'))
  const store = await open()
  await Promise.all(all.map((name) => store.put(request(topic(name, '{ partitions: 7 }')))))
  assert.equal((await readFile(join(folder, 'a.yaml'), 'utf8')).match(/partitions: 7/g)?.length, 10)
})

test('a file that a person saves while it is being changed is not overwritten', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', `${topic('a')}---\n${topic('b')}`)
  const store = await open()
  await write('a.yaml', `${topic('a')}---\n${topic('b', '{ partitions: 8 }')}`)
  await store.put(request(topic('a', '{ partitions: 4 }')))
  const text = await readFile(join(folder, 'a.yaml'), 'utf8')
  assert.match(text, /partitions: 8/)
  assert.match(text, /partitions: 4/)
})

test('a resource in a file with faults is not edited: the person is told to correct the file', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('a'))
  const store = await open()
  const broken = `${topic('a')}---\nkind: [broken`
  await write('a.yaml', broken)
  await assert.rejects(store.put(request(topic('a', '{ partitions: 4 }'))), code('conflict'))
  await assert.rejects(store.remove(topicName('a')), code('conflict'))
  assert.equal(await readFile(join(folder, 'a.yaml'), 'utf8'), broken)
})

test('anchors in the changed resource are written out, so that nothing else changes through them', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('a', '{ config: { a: &x "1", b: *x } }'))
  const store = await open()
  await store.put(request(topic('a', '{ config: { a: "2", b: "1" } }')))
  const found = store.find(topicName('a'))?.resource
  assert.deepEqual(found?.kind === 'Topic' && found.spec.config, { a: '2', b: '1' })
  assert.doesNotMatch(await readFile(join(folder, 'a.yaml'), 'utf8'), /[&*]x/)
})

test('a member that is new stands after the others, whose order says nothing', async (t) => {
  const { open } = await world(t)
  const store = await open()
  await store.put(request(topic('a', '{ config: { b: "1" } }')))
  const result = await store.put(request(topic('a', '{ config: { a: "2", b: "1" } }')))
  assert.equal(result.results[0]?.result, 'replaced')
  const again = await store.put(request(topic('a', '{ config: { b: "1", a: "2" } }')))
  assert.equal(again.results[0]?.result, 'unchanged')
})

test('status is not stored', async (t) => {
  const { stateDir, open } = await world(t)
  const store = await open()
  await store.put(request(`${topic('a')}status: { source: api }\n`))
  assert.doesNotMatch(await readFile(join(stateDir, 'resources/topic.default.a.yaml'), 'utf8'), /status/)
})

test('a file of the own folder that a person made hold something else is not overwritten', async (t) => {
  const { stateDir, open } = await world(t)
  const store = await open()
  await store.put(request(topic('a')))
  await writeFile(join(stateDir, 'resources/topic.default.a.yaml'), topic('b'))
  await store.put(request(topic('a')))
  assert.deepEqual(names(store), ['Topic default/a', 'Topic default/b'])
})
