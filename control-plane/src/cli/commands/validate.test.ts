import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, weft } from '../cli.test-support.ts'

const topic = (name: string, spec = '{ partitions: 1 }') =>
  `apiVersion: mesh.weft.dev/v1\nkind: Topic\nmetadata: { name: ${name} }\nspec: ${spec}\n`
const SUBSCRIPTION =
  'apiVersion: mesh.weft.dev/v1\nkind: Subscription\nmetadata: { name: s }\nspec: { topic: orders, service: shop, path: /in }\n'

test('good files: exit 0, the count on stderr, nothing on stdout', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'a.yaml'), `${topic('a')}---\n${topic('b')}`)
  const { code, stdout, stderr } = await weft(['validate', '-q', 'a.yaml'], { cwd })
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '' })
  assert.match((await weft(['validate'], { cwd })).stderr, /^2 resources, no faults$/m)
})

test('every fault of every file at once, with file, line, column and what was expected', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 'a.yaml'), topic('a', '{ partitions: 0, sise: 1 }'))
  await writeFile(join(cwd, 'b.yaml'), 'kind: [')
  const { code, stdout } = await weft(['validate', '.'], { cwd })
  assert.equal(code, 1)
  const lines = stdout.trimEnd().split('\n')
  assert.equal(lines.length, 3)
  assert.match(
    lines[0] ?? '',
    /^a\.yaml:4:21 spec\.partitions: expected a whole number from 1 to \d+, came 0$/,
  )
  assert.match(lines[1] ?? '', /^a\.yaml:4:24 spec\.sise: expected one of /)
  assert.match(lines[2] ?? '', /^b\.yaml:1:\d+ expected YAML or JSON, came a syntax error/)
})

test('a folder is judged as a whole; one file alone is not asked for names of others', async (t) => {
  const cwd = await temporaryFolder(t)
  await writeFile(join(cwd, 's.yaml'), SUBSCRIPTION)
  assert.equal((await weft(['validate', 's.yaml'], { cwd })).code, 0)
  const { code, stdout } = await weft(['validate', '.', '-o', 'json'], { cwd })
  assert.equal(code, 1)
  const { faults } = JSON.parse(stdout) as { faults: { path: string; file: string }[] }
  assert.deepEqual(
    faults.map(({ path }) => path),
    ['spec.topic', 'spec.service'],
  )
})

test('a folder with a weft.yaml is that mesh: its services count as defined, other files do not', async (t) => {
  const cwd = await temporaryFolder(t)
  await mkdir(join(cwd, 'mesh'))
  await writeFile(join(cwd, 'package.json'), '{}')
  await writeFile(join(cwd, 'mesh/all.yaml'), `${topic('orders')}---\n${SUBSCRIPTION}`)
  await writeFile(
    join(cwd, 'weft.yaml'),
    'name: m\nresources: mesh\nservices: { shop: { command: [node] } }\n',
  )
  const good = await weft(['validate'], { cwd })
  assert.equal(good.code, 0, good.stdout)
  assert.match(good.stderr, /^2 resources, no faults$/m)
  await writeFile(join(cwd, 'weft.yaml'), 'name: m\nservices: { shop: { comand: [node] } }\n')
  assert.match(
    (await weft(['validate'], { cwd })).stdout,
    /^weft\.yaml:2:21 services\.shop\.comand: .*did you mean command\?/m,
  )
})

test('what does not exist is wrong usage', async () => {
  assert.equal((await weft(['validate', '/nowhere'])).code, 2)
})
