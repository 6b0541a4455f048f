import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { weft } from './cli.test-support.ts'
import { wantsColour } from './io.ts'

test('without words the help is printed, examples first, exit codes and link last', async () => {
  const { code, stdout, stderr } = await weft([])
  assert.equal(code, 0)
  assert.equal(stderr, '')
  assert.match(stdout, /^Examples:\n {2}weft up /)
  assert.match(stdout, /Exit codes:\n {2}0 {2}done.*\n {2}1 {2}failed.*\n {2}2 {2}wrong usage/)
  assert.match(stdout, /Docs: docs\/reference\/cli\.md\n$/)
})

test('every command has help that leads with examples and ends with its place in the docs', async () => {
  const commands = [
    'up',
    'run',
    'stop',
    'start',
    'restart',
    'apply',
    'get',
    'delete',
    'validate',
    'can',
    'status',
    'trace',
  ]
  for (const name of [...commands, 'token create', 'certs issue', 'dashboard', 'version']) {
    const { code, stdout } = await weft([...name.split(' '), '--help'])
    assert.equal(code, 0, name)
    assert.match(stdout, /^Examples:\n {2}\S*/, name)
    assert.match(stdout, /Global Options:/, name)
    assert.ok(stdout.endsWith(`Docs: docs/reference/cli.md#weft-${name.replace(' ', '-')}\n`), name)
  }
})

test('an unknown command is wrong usage, with the nearest one', async () => {
  const { code, stdout, stderr } = await weft(['aply'])
  assert.equal(code, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /error: unknown command 'aply'\n\(Did you mean apply\?\)/)
})

test('an unknown option is wrong usage, with the nearest one', async () => {
  const { code, stderr } = await weft(['get', 'topics', '--namespce', 'x'])
  assert.equal(code, 2)
  assert.match(stderr, /unknown option '--namespce'\n\(Did you mean --namespace\?\)/)
})

test('abbreviations of commands are not understood', async () => {
  assert.equal((await weft(['stat'])).code, 2)
})

test('a form of output that a command does not have is wrong usage', async () => {
  const { code, stderr } = await weft(['version', '-o', 'yaml'])
  assert.equal(code, 2)
  assert.match(stderr, /-o yaml is not possible here: choose one of table, json/)
})

test('a missing argument and a wrong time are wrong usage', async () => {
  assert.equal((await weft(['can', 'billing-service'])).code, 2)
  const { code, stderr } = await weft(['get', 'topics', '--timeout', 'soon'])
  assert.equal(code, 2)
  assert.match(stderr, /--timeout: expected a time as 500ms, 5s or 2m, came "soon"/)
})

test('version prints one JSON document with -o json', async () => {
  const { code, stdout } = await weft(['version', '-o', 'json'])
  assert.equal(code, 0)
  assert.deepEqual(Object.keys(JSON.parse(stdout) as object), ['version', 'node'])
})

test('colours: a terminal has them unless NO_COLOR, --no-color or a dumb terminal says otherwise; a pipe only by FORCE_COLOR', () => {
  const tty = { write: () => {}, isTTY: true }
  const pipe = { write: () => {} }
  assert.equal(wantsColour(tty, {}, []), true)
  assert.equal(wantsColour(tty, { NO_COLOR: '1' }, []), false)
  assert.equal(wantsColour(tty, { NO_COLOR: '' }, []), true)
  assert.equal(wantsColour(tty, { TERM: 'dumb' }, []), false)
  assert.equal(wantsColour(tty, {}, ['get', '--no-color']), false)
  assert.equal(wantsColour(tty, {}, ['run', '--', 'ls', '--no-color']), true)
  assert.equal(wantsColour(pipe, {}, []), false)
  assert.equal(wantsColour(pipe, { FORCE_COLOR: '1' }, []), true)
  assert.equal(wantsColour(pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, []), false)
})

test('a reader that has seen enough ends the command without a word', async () => {
  const bin = join(import.meta.dirname, '../../bin/weft.js')
  const { stdout, stderr } = await promisify(execFile)('sh', [
    '-c',
    `for n in 1 2 3; do "${process.execPath}" --disable-warning=ExperimentalWarning "${bin}" up --help | true; done; echo done`,
  ])
  assert.deepEqual([stdout, stderr], ['done\n', ''])
})
