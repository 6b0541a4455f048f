import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { names, topic, topicName, until, world } from './source.test-support.ts'

test('resources are read from nested folders; hidden files and other extensions are not', async (t) => {
  const { folder, write, open } = await world(t)
  await mkdir(join(folder, 'deep/er'), { recursive: true })
  await mkdir(join(folder, '.git'))
  await write('a.yaml', topic('a'))
  await write('deep/er/b.yml', topic('b'))
  await write(
    'deep/c.json',
    JSON.stringify({ apiVersion: 'mesh.weft.dev/v1', kind: 'Topic', metadata: { name: 'c' }, spec: {} }),
  )
  await write('.hidden.yaml', topic('hidden'))
  await write('.git/x.yaml', topic('git'))
  await write('notes.txt', 'no resource')
  assert.deepEqual(names(await open()), ['Topic default/a', 'Topic default/b', 'Topic default/c'])
})

test('a file that is written, replaced or deleted is seen without being asked for', async (t) => {
  const { folder, write, open } = await world(t)
  const store = await open()
  await write('a.yaml', topic('a'))
  await until(store, () => names(store).includes('Topic default/a'))
  const first = store.version()

  // As editors save: a new file over the old one.
  await writeFile(join(folder, '.a.swp'), topic('a', '{ partitions: 5 }'))
  await rename(join(folder, '.a.swp'), join(folder, 'a.yaml'))
  await until(store, () => store.version() > first)
  assert.equal(store.find(topicName('a'))?.resource.kind === 'Topic' && store.resources().length, 1)

  await unlink(join(folder, 'a.yaml'))
  await until(store, () => names(store).length === 0)
})

test('a folder that appears later is watched too', async (t) => {
  const { folder, open } = await world(t)
  const store = await open()
  await mkdir(join(folder, 'new'))
  await writeFile(join(folder, 'new/a.yaml'), topic('a'))
  await until(store, () => names(store).length === 1)
  await writeFile(join(folder, 'new/b.yaml'), topic('b'))
  await until(store, () => names(store).length === 2)
})

test('a folder that is deleted and made anew is still watched', async (t) => {
  const { folder, open } = await world(t)
  const inner = join(folder, 'inner')
  await mkdir(inner)
  const store = await open()
  await rm(inner, { recursive: true })
  await mkdir(inner)
  await writeFile(join(inner, 'a.yaml'), topic('a'))
  await until(store, () => names(store).length === 1)
  await writeFile(join(inner, 'b.yaml'), topic('b'))
  await until(store, () => names(store).length === 2)
})

test('what the kernel does not say is found by the rescan', async (t) => {
  const { folder, stateDir, open } = await world(t)
  const outside = join(stateDir, 'elsewhere.yaml')
  await writeFile(outside, topic('a'))
  await symlink(outside, join(folder, 'link.yaml'))
  const store = await open({ rescanMs: 20 })
  // The directory of the link does not change when its target is written.
  await writeFile(outside, topic('b'))
  await until(store, () => names(store)[0] === 'Topic default/b')
})

test('a ConfigMap of Kubernetes is read once and followed when its symlink is swapped', async (t) => {
  const { folder, open } = await world(t)
  const version = async (name: string, text: string) => {
    await mkdir(join(folder, name))
    await writeFile(join(folder, name, 'a.yaml'), text)
  }
  await version('..2026_1', topic('a'))
  await symlink('..2026_1', join(folder, '..data'))
  await symlink('..data/a.yaml', join(folder, 'a.yaml'))
  const store = await open()
  assert.deepEqual(names(store), ['Topic default/a'])

  await version('..2026_2', topic('b'))
  await symlink('..2026_2', join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  await until(store, () => names(store)[0] === 'Topic default/b')
  assert.deepEqual(names(store), ['Topic default/b'])
})

test('a file with a fault keeps its last good resources, and says what is wrong where', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('a', '{ partitions: 2 }'))
  await write('b.yaml', topic('b'))
  const store = await open()
  const before = store.version()
  await write(
    'a.yaml',
    `${topic('a', '{ partitions: 9 }')}---\n${topic('bad', '{ partitions: 0, nonsense: 1 }')}`,
  )
  await store.reload()

  assert.deepEqual(names(store), ['Topic default/a', 'Topic default/b'])
  assert.equal(store.version(), before)
  const a = store.find(topicName('a'))?.resource
  assert.equal(a?.kind === 'Topic' && a.spec.partitions, 2)
  assert.deepEqual(
    store.faults().map(({ file, line, path }) => [file, line, path]),
    [
      [join(folder, 'a.yaml'), 9, 'spec.partitions'],
      [join(folder, 'a.yaml'), 9, 'spec.nonsense'],
    ],
  )
})

test('the last good resources of a bad file survive a restart', async (t) => {
  const { write, open } = await world(t)
  await write('a.yaml', topic('a'))
  await (await open()).close()
  await write('a.yaml', 'kind: [broken')
  const store = await open()
  assert.deepEqual(names(store), ['Topic default/a'])
  assert.notEqual(store.faults().length, 0)

  await write('a.yaml', topic('b'))
  await store.reload()
  assert.deepEqual(names(store), ['Topic default/b'])
  assert.deepEqual(store.faults(), [])
})

test('a file that was bad from the first has nothing in force, and does not stop the start', async (t) => {
  const { write, open } = await world(t)
  await write('a.yaml', 'kind: [broken')
  await write('b.yaml', topic('b'))
  const store = await open()
  assert.deepEqual(names(store), ['Topic default/b'])
  assert.notEqual(store.faults().length, 0)
})

test('a deleted file takes its last good resources with it', async (t) => {
  const { folder, stateDir, write, open } = await world(t)
  await write('a.yaml', topic('a'))
  const store = await open()
  await unlink(join(folder, 'a.yaml'))
  await store.reload()
  assert.deepEqual(names(store), [])
  assert.deepEqual(await readdir(join(stateDir, 'last-good')), [])
})

test('a folder that goes away is a fault; its resources stay, over a restart too, until it is back', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('a'))
  const first = await open()
  await rename(folder, `${folder}.away`)
  await first.reload()
  assert.deepEqual(names(first), ['Topic default/a'])
  assert.match(first.faults()[0]?.message ?? '', /expected a readable file or folder/)
  await first.close()

  const second = await open()
  assert.deepEqual(names(second), ['Topic default/a'])
  await rename(`${folder}.away`, folder)
  await second.reload()
  assert.deepEqual(second.faults(), [])
  await rm(join(folder, 'a.yaml'))
  await second.reload()
  assert.deepEqual(names(second), [])
})

test('a resource in two files is a fault of the later one, and the first holds', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('x', '{ partitions: 1 }'))
  await write('b.yaml', `${topic('y')}---\n${topic('x', '{ partitions: 2 }')}`)
  const store = await open()
  assert.deepEqual(names(store), ['Topic default/x', 'Topic default/y'])
  const x = store.find(topicName('x'))?.resource
  assert.equal(x?.kind === 'Topic' && x.spec.partitions, 1)
  const [fault] = store.faults()
  assert.equal(`${fault?.file}:${fault?.line}`, `${join(folder, 'b.yaml')}:8`)
  assert.match(fault?.came ?? '', /a\.yaml:1 holds already/)
})

test('files that are no text, too large, pipes or dangling links are faults, and the rest is read', async (t) => {
  const { folder, write, open } = await world(t)
  await write('ok.yaml', topic('ok'))
  await writeFile(join(folder, 'binary.yaml'), Buffer.from([0xff, 0xfe, 0x00, 0x80]))
  await write('large.yaml', `#${'x'.repeat(1_048_576)}`)
  await promisify(execFile)('mkfifo', [join(folder, 'pipe.yaml')])
  await symlink('nowhere', join(folder, 'dangling.yaml'))
  await symlink('.', join(folder, 'loop'))
  const store = await open()
  assert.deepEqual(names(store), ['Topic default/ok'])
  const said = new Map(store.faults().map(({ file, message }) => [file.slice(folder.length + 1), message]))
  assert.match(said.get('binary.yaml') ?? '', /expected UTF-8/)
  assert.match(said.get('large.yaml') ?? '', /expected at most 1048576 bytes/)
  assert.match(said.get('pipe.yaml') ?? '', /expected a regular file/)
  assert.match(said.get('dangling.yaml') ?? '', /ENOENT/)
})

test('a folder that is named twice, and one within another, are read once', async (t) => {
  const { folder, write, open } = await world(t)
  await mkdir(join(folder, 'in'))
  await write('in/a.yaml', topic('a'))
  const store = await open({ folders: [folder, folder, join(folder, 'in')] })
  assert.deepEqual(names(store), ['Topic default/a'])
  assert.deepEqual(store.faults(), [])
})

test('the version grows with resources, not with comments, and over restarts', async (t) => {
  const { folder, write, open } = await world(t)
  await write('a.yaml', topic('a'))
  const first = await open()
  const start = first.version()
  await write('a.yaml', `# a comment\n${topic('a')}`)
  await first.reload()
  assert.equal(first.version(), start)
  assert.deepEqual(first.stored()[0]?.source, { file: join(folder, 'a.yaml'), line: 2 })
  await write('a.yaml', topic('a', '{ partitions: 2 }'))
  await first.reload()
  const last = first.version()
  assert.ok(last > start)
  await first.close()
  assert.ok((await open()).version() > last)
})

test('references to what is not there are found: an error for a subscription, a warning for a policy', async (t) => {
  const { write, open } = await world(t)
  await write(
    'a.yaml',
    `apiVersion: mesh.weft.dev/v1
kind: Subscription
metadata: { name: s }
spec: { topic: none, service: nobody, path: / }
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: p }
spec: { target: { service: nobody }, rules: [{}] }
`,
  )
  const store = await open()
  assert.deepEqual(
    store.faults().map(({ line, column, path }) => [line, column, path]),
    [
      [4, 16, 'spec.topic'],
      [4, 31, 'spec.service'],
    ],
  )
  assert.deepEqual(
    store.warnings().map(({ line, path }) => [line, path]),
    [[9, 'spec.target.service']],
  )
})

test('a thousand files are read, and what has not changed is not read again', async (t) => {
  const { write, open } = await world(t)
  for (let index = 0; index < 1000; index++) await write(`t${index}.yaml`, topic(`t${index}`))
  const store = await open()
  assert.equal(store.resources().length, 1000)
  const before = store.resources()
  await store.reload()
  assert.ok(store.resources().every((resource, index) => resource === before[index]))
})

test('everything under the state folder is private', async (t) => {
  const { stateDir, write, open } = await world(t)
  await write('a.yaml', topic('a'))
  await open()
  for (const name of ['resources', 'last-good'])
    assert.equal((await stat(join(stateDir, name))).mode & 0o077, 0, name)
  for (const name of await readdir(join(stateDir, 'last-good'))) {
    const path = join(stateDir, 'last-good', name)
    assert.equal((await stat(path)).mode & 0o077, 0)
    assert.match(await readFile(path, 'utf8'), /Topic/)
  }
})

test('what a killed process has left half written is taken away at the start', async (t) => {
  const { folder, stateDir, open } = await world(t)
  await mkdir(join(folder, 'in'))
  await mkdir(join(stateDir, 'resources'))
  for (const left of [join(folder, 'in/.weft-1.tmp'), join(stateDir, 'resources/.weft-2.tmp')])
    await writeFile(left, 'half')
  await open()
  assert.deepEqual(await readdir(join(folder, 'in')), [])
  assert.deepEqual(await readdir(join(stateDir, 'resources')), [])
})
