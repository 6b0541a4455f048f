import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder, weft } from '../cli.test-support.ts'
import { screen } from '../io.ts'
import { choosePort } from './free-port.ts'
import { childEnvironment } from './ground.ts'
import { answersOk, portIsOpen } from './health.ts'
import { kafkaFromEnvironment } from './kafka-environment.ts'
import { ProgressLines } from './progress.ts'
import { exitCodeOf } from './signals.ts'
import { prepareState, removeContext, writeContext } from './state.ts'

test('a port that is taken is not chosen, a preferred one that is free is, and none twice', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const taken = (server.address() as { port: number }).port
  assert.notEqual(await choosePort(taken), taken)
  const free = await choosePort()
  assert.notEqual(await choosePort(free), free)
  assert.ok(free >= 20_000 && free < 32_768)
})

test('health: a path has to answer 2xx, a redirect is no answer, a closed port is not open', async (t) => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/ok' ? 204 : 302, { location: '/ok' })
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  assert.deepEqual(
    [await answersOk(port, '/ok'), await answersOk(port, '/other'), await portIsOpen(port)],
    [true, false, true],
  )
  server.close()
  server.closeAllConnections()
  t.after(() => server.close())
  assert.deepEqual([await answersOk(port, '/ok'), await portIsOpen(port)], [false, false])
})

test('KAFKA_BROKERS names the broker; wrong forms are wrong usage', () => {
  assert.equal(kafkaFromEnvironment({}), undefined)
  assert.equal(kafkaFromEnvironment({ KAFKA_BROKERS: '' }), undefined)
  assert.deepEqual(kafkaFromEnvironment({ KAFKA_BROKERS: 'a:1, [::1]:2' }), {
    bootstrapServers: ['a:1', '[::1]:2'],
    security: 'plaintext',
  })
  assert.equal(kafkaFromEnvironment({ KAFKA_BROKERS: 'a:1', KAFKA_SECURITY: 'mtls' })?.security, 'mtls')
  assert.throws(() => kafkaFromEnvironment({ KAFKA_BROKERS: 'a' }), /KAFKA_BROKERS: expected host:port/)
  assert.throws(
    () => kafkaFromEnvironment({ KAFKA_BROKERS: 'a:1', KAFKA_SECURITY: 'ssl' }),
    /expected one of plaintext, tls, mtls/,
  )
})

test('settings of another process of Weft do not reach the children', () => {
  assert.deepEqual(
    childEnvironment({
      PATH: '/bin',
      KAFKA_BROKERS: 'broker:9092',
      KAFKA_SECURITY: 'tls',
      WEFT_OUTBOUND_PORT: '1',
      WEFT_LOG_LEVEL: 'debug',
    }),
    {
      PATH: '/bin',
      WEFT_LOG_LEVEL: 'debug',
    },
  )
})

test('exit codes of signals are those of a shell', () => {
  assert.deepEqual(
    [exitCodeOf({ code: 7, signal: null }), exitCodeOf({ code: null, signal: 'SIGKILL' })],
    [7, 137],
  )
})

test('a new run finds nothing of the last one in the folders of the run, and keeps the rest', async (t) => {
  const root = join(await temporaryFolder(t), 'state')
  const state = await prepareState(root)
  await writeFile(join(state.run, 'old.workload.yaml'), '')
  await writeFile(join(state.controlPlane, 'admin-token'), 'kept')
  await prepareState(root)
  assert.deepEqual(await readdir(state.run), [])
  assert.equal(await readFile(join(state.controlPlane, 'admin-token'), 'utf8'), 'kept')
})

test('the context ignores itself in git, and only the mesh that wrote it takes it away', async (t) => {
  const folder = await temporaryFolder(t)
  const context = {
    name: 'm',
    controlPlaneUrl: '',
    grpcAddress: '',
    adminTokenFile: '',
    dashboardUrl: '',
    socketPath: '',
    stateDir: '',
  }
  await writeContext([folder, folder], { ...context, pid: process.pid + 1 })
  await removeContext([folder])
  assert.deepEqual((await readdir(join(folder, '.weft'))).toSorted(), ['.gitignore', 'context.json'])
  await writeContext([folder], { ...context, pid: process.pid })
  await removeContext([folder])
  assert.deepEqual(await readdir(folder), [])
})

test('without a terminal every change is a line; at one, a line changes in its place', () => {
  const lines = (isTTY: boolean) => {
    let text = ''
    const progress = new ProgressLines(
      screen({ write: (part: string) => (text += part), isTTY, columns: 80 }, false),
    )
    progress.show({ part: 'kafka', state: 'starting' })
    progress.show({ part: 'front', state: 'starting' })
    progress.show({ part: 'kafka', state: 'ready', ms: 1849 })
    return text
  }
  const line = (part: string, word: string) => `${part.padEnd(28)} ${word}\n`
  assert.equal(
    lines(false),
    line('kafka', 'starting') + line('front', 'starting') + line('kafka', 'ready 1.8s'),
  )
  assert.ok(
    lines(true).endsWith(`\u001b[2A\u001b[0J${line('kafka', 'ready 1.8s')}${line('front', 'starting')}`),
  )
})

test('up refuses what cannot work before anything is started, with every fault at once', async (t) => {
  const cwd = await temporaryFolder(t)
  assert.equal((await weft(['up', 'nowhere'], { cwd })).code, 2)
  assert.match(
    (await weft(['up'], { cwd })).stderr,
    /weft\.yaml cannot be read \(ENOENT\)\n`weft up` starts a mesh from a weft\.yaml/,
  )
  await mkdir(join(cwd, 'mesh'))
  const service = '{ command: [node] }'
  await writeFile(
    join(cwd, 'weft.yaml'),
    `name: m\nresources: [mesh, none]\nservices: { a: { command: [node], workdir: gone } }\n`,
  )
  const missing = await weft(['up'], { cwd })
  assert.equal(missing.code, 1)
  assert.match(
    missing.stderr,
    /2 faults; nothing was started\n.*:2:\d+ resources: .*none\n.*:3:\d+ services\.a\.workdir: .*gone\n/,
  )

  await writeFile(join(cwd, 'weft.yaml'), `name: m\nresources: mesh\nservices: { a: ${service} }\n`)
  await writeFile(
    join(cwd, 'mesh/a.yaml'),
    'apiVersion: mesh.weft.dev/v1\nkind: Service\nmetadata: { name: a }\nspec: { selector: { run: a } }\n',
  )
  const blind = await weft(['up'], { cwd })
  assert.match(blind.stderr, /Service default\/a: expected the selector \{ app: a \}/)
  assert.deepEqual(await readdir(cwd), ['mesh', 'weft.yaml'])
})
