/** An app that knows of no proxy calls a service by its address, in a network of its own; what goes over the wire is looked at. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { DEFAULT_TRAFFIC, type Snapshot } from '@weft/schemas/snapshot'
import { createAuthority } from '../../../sidecar/src/listen/certificates.test-support.ts'
import type { SidecarSettings } from './sidecar-program.ts'

const run = promisify(execFile)
const CLI = join(import.meta.dirname, '../../../control-plane/src/cli/main.ts')
const PROGRAM = join(import.meta.dirname, 'sidecar-program.ts')
const [CLIENT, SERVER] = [`weft-c-${process.pid}`, `weft-s-${process.pid}`]
/** Of nobody in particular: the sidecar gives up root for it. */
const SIDECAR_UID = 61_337
/** What the service is called by; no machine has it. */
const SERVICE_ADDRESS = '10.96.0.7'
const SECRET = 'nobody-on-the-wire-may-read-this'

const missing = ['ip', 'iptables', 'tcpdump'].filter((tool) => spawnSync(tool, ['-V']).error !== undefined)
const skip =
  process.getuid?.() !== 0
    ? 'needs root, for network namespaces'
    : missing.length > 0
      ? `needs ${missing.join(', ')}`
      : false

const ip = (...words: string[]) => run('ip', words)
const inside = (namespace: string, ...words: string[]) => run('ip', ['netns', 'exec', namespace, ...words])
const started: ChildProcess[] = []

/** Starts a program in a namespace; resolves when it has written its first line. */
async function start(namespace: string, ...words: string[]): Promise<ChildProcess> {
  const child = spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['pipe', 'pipe', 'pipe'] })
  started.push(child)
  let complaint = ''
  child.stderr.on('data', (text: Buffer) => {
    complaint += text.toString()
  })
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => assert.fail(`${words.join(' ')} ended: ${complaint}`)),
  ])
  return child
}

/** The tap has written what passed: it is told to stop before it has read all of it otherwise. */
async function settled(dump: string): Promise<void> {
  for (let size = -1; statSync(dump).size !== size; await delay(300)) size = statSync(dump).size
}

const APP = `
  require('node:http').createServer((asked, answer) => {
    let body = ''
    asked.on('data', (chunk) => { body += chunk })
    asked.on('end', () => answer.end('${SECRET} ' + body + ' ' + asked.headers['x-forwarded-client-cert']))
  }).listen(8080, '127.0.0.1', () => console.log('ready'))
  require('node:net').createServer((socket) => socket.end('220 ${SECRET}'))
    .listen(5432, '127.0.0.1')`
const CALL = `
  const answer = await fetch('http://${SERVICE_ADDRESS}/orders', { method: 'POST', body: '${SECRET}', headers: { host: 'order-service' } })
  console.log(answer.status, await answer.text())`
const CONNECT = `
  const socket = require('node:net').connect(5432, '${SERVICE_ADDRESS}')
  socket.pipe(process.stdout)`

async function settingsOf(folder: string): Promise<{ readonly client: string; readonly server: string }> {
  const authority = await createAuthority()
  const write = async (serviceAccount: string): Promise<string> => {
    const identity = await authority.issue(serviceAccount)
    const endpoint = {
      address: '10.201.0.2',
      port: 15_006,
      identity: 'spiffe://weft.local/ns/default/sa/order-service',
      labels: {},
    }
    const snapshot: Snapshot = {
      version: 1,
      trustDomain: 'weft.local',
      workload: {
        identity: identity.spiffeId.uri,
        namespace: 'default',
        service: serviceAccount,
        tcpPorts: [{ port: 5432, appPort: 5432 }],
      },
      defaultAction: 'allow',
      samplingRatio: 0,
      services: [
        {
          name: 'order-service',
          namespace: 'default',
          hosts: ['order-service', `${SERVICE_ADDRESS}:80`, `${SERVICE_ADDRESS}:5432`],
          endpoints: [endpoint],
          traffic: DEFAULT_TRAFFIC,
          tcpPorts: [5432],
        },
      ],
      policies: [],
      jwtProviders: [],
      topics: [],
      subscriptions: [],
    }
    const settings: SidecarSettings = { identity, snapshot, appPort: 8080, uid: SIDECAR_UID }
    const path = join(folder, `${serviceAccount}.json`)
    writeFileSync(path, JSON.stringify(settings))
    return path
  }
  return { client: await write('client'), server: await write('order-service') }
}

describe('captured traffic', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-capture-'))

  before(async () => {
    await ip('netns', 'add', CLIENT)
    await ip('netns', 'add', SERVER)
    await ip('link', 'add', 'eth0', 'netns', CLIENT, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', SERVER)
    for (const [namespace, address] of [
      [CLIENT, '10.201.0.1/24'],
      [SERVER, '10.201.0.2/24'],
    ] as const) {
      await ip('-n', namespace, 'address', 'add', address, 'dev', 'eth0')
      await ip('-n', namespace, 'link', 'set', 'eth0', 'up')
      await ip('-n', namespace, 'link', 'set', 'lo', 'up')
    }
    // A packet needs a way out before a rule can lead it elsewhere.
    await ip('-n', CLIENT, 'route', 'add', 'default', 'via', '10.201.0.2')
    await inside(CLIENT, process.execPath, CLI, 'capture', 'apply', '--uid', String(SIDECAR_UID))
    const settings = await settingsOf(folder)
    await start(SERVER, process.execPath, '-e', APP)
    await start(SERVER, process.execPath, PROGRAM, settings.server)
    await start(CLIENT, process.execPath, PROGRAM, settings.client)
  })

  after(() => {
    for (const child of started) child.kill('SIGKILL')
    for (const namespace of [CLIENT, SERVER]) spawnSync('ip', ['netns', 'delete', namespace])
    rmSync(folder, { recursive: true, force: true })
  })

  it('of an app without any setting is mTLS on the wire: no readable byte of request or answer', async () => {
    const dump = join(folder, 'wire')
    const tap = spawn(
      'ip',
      ['netns', 'exec', CLIENT, 'tcpdump', '-i', 'eth0', '--immediate-mode', '-U', '-w', dump, '-Z', 'root'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    started.push(tap)
    await once(tap.stderr, 'data')

    const { stdout } = await inside(CLIENT, process.execPath, '--input-type=module', '-e', CALL)
    const opaque = await inside(CLIENT, process.execPath, '-e', CONNECT)
    await settled(dump)
    tap.kill('SIGINT')
    await once(tap, 'exit')

    assert.equal(stdout, `200 ${SECRET} ${SECRET} URI=spiffe://weft.local/ns/default/sa/client\n`)
    assert.equal(opaque.stdout, `220 ${SECRET}`)
    const { stdout: wire } = await run('tcpdump', ['-r', dump, '-A', '-n'], { maxBuffer: 64 * 1024 * 1024 })
    assert.match(wire, /10\.201\.0\.1\.\d+ > 10\.201\.0\.2\.15006/)
    assert.doesNotMatch(wire, new RegExp(`${SECRET}|HTTP/1|POST|orders`))
  })

  it('is captured once however often it is asked for, and is free again after that', async () => {
    const weft = (...words: string[]) => inside(CLIENT, process.execPath, CLI, 'capture', ...words)
    const first = (await weft('show')).stdout
    await weft('apply', '--uid', String(SIDECAR_UID))
    assert.equal((await weft('show')).stdout, first)

    await weft('remove')
    await weft('remove')

    assert.equal((await weft('show')).stdout, 'nothing is captured\n')
    await weft('apply', '--uid', String(SIDECAR_UID))
    assert.equal((await weft('show')).stdout, first)
  })
})
