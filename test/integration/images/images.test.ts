/** No container engine is needed for this: what an image would hold is built as a folder, and its process started from there. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { choosePort } from '@weft/control-plane/cli/free-port'
import { parse } from 'yaml'
import { until } from '../../../deploy/demo/shop.ts'
import { buildImage, IMAGES } from '../../../deploy/image/build.ts'

const ROOT = join(import.meta.dirname, '../../..')
const DEADLINE_MS = 30_000

let folder: string
const started: ChildProcess[] = []

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weft-images-'))
  for (const name of Object.keys(IMAGES)) buildImage(name, join(folder, name))
})

after(async () => {
  for (const child of started.reverse()) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
})

/** Starts a process of an image as its Dockerfile does: from the image's folder, with nothing of this one's settings. */
function start(image: string, script: string, env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [script], {
    cwd: join(folder, image),
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  started.push(child)
  return child
}

const answers = (url: string) =>
  until(`${url} answers 200`, DEADLINE_MS, async () => {
    const response = await fetch(url).catch(() => undefined)
    return response?.ok === true ? true : undefined
  })

const portsIn = (file: string) =>
  until(`${file} is there`, DEADLINE_MS, async () =>
    existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Record<string, number>) : undefined,
  )

test('an image holds JavaScript and production dependencies, no TypeScript of ours and no development tools', async () => {
  for (const name of Object.keys(IMAGES)) {
    const files = (await readdir(join(folder, name), { recursive: true })).filter(
      (file) => !file.includes('node_modules'),
    )
    assert.deepEqual(
      files.filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts')),
      [],
    )
    assert.ok(!existsSync(join(folder, name, 'node_modules/typescript')), name)
    assert.ok(!existsSync(join(folder, name, 'node_modules/vite')), name)
  }
})

test('control plane, sidecar and services start from their images, joined by the init script of the compose file', async () => {
  const [state, tls, tokens] = ['state', 'tls', 'tokens'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  for (const made of [state, tls, tokens]) await mkdir(made)
  const controlPlanePorts = join(folder, 'control-plane.json')
  start('control-plane', 'control-plane/src/main.js', {
    WEFT_STATE_DIR: state,
    WEFT_RESOURCES: join(ROOT, 'examples/ecommerce/mesh'),
    WEFT_GRPC_PORT: '0',
    WEFT_HTTP_PORT: '0',
    WEFT_PORTS_FILE: controlPlanePorts,
  })
  const { http, grpc } = await portsIn(controlPlanePorts)
  await answers(`http://127.0.0.1:${http}/ready`)

  execFileSync('/bin/sh', [join(ROOT, 'deploy/docker/init.sh')], {
    env: {
      PATH: `${join(folder, 'control-plane/control-plane/bin')}:${join(process.execPath, '..')}:${process.env.PATH}`,
      WEFT_CONTROL_PLANE_URL: `http://127.0.0.1:${http}`,
      WEFT_ADMIN_TOKEN_FILE: join(state, 'admin-token'),
      TLS_DIR: tls,
      TOKENS_DIR: tokens,
      SERVICES: 'order-service billing-service',
    },
  })
  assert.match(await readFile(join(tls, 'broker.pem'), 'utf8'), /PRIVATE KEY[\s\S]*BEGIN CERTIFICATE/)

  const sidecarPorts = join(folder, 'sidecar.json')
  start('sidecar', 'sidecar/src/main.js', {
    WEFT_CONTROL_PLANE: `127.0.0.1:${grpc}`,
    WEFT_JOIN_TOKEN_FILE: join(tokens, 'order-service'),
    WEFT_WORKLOAD: 'order-service',
    WEFT_TELEMETRY_URL: `http://127.0.0.1:${http}`,
    WEFT_OUTBOUND_PORT: '0',
    WEFT_INBOUND_PORT: '0',
    WEFT_EVENTS_PORT: '0',
    WEFT_EVENTS_GRPC_PORT: '0',
    WEFT_KAFKA_PORT: '0',
    WEFT_ADMIN_PORT: '0',
    WEFT_PORTS_FILE: sidecarPorts,
  })
  const { admin } = await portsIn(sidecarPorts)
  await answers(`http://127.0.0.1:${admin}/ready`)

  for (const service of ['product', 'order']) {
    const port = String(await choosePort())
    start('ecommerce', `examples/ecommerce/src/${service}/main.js`, {
      PORT: port,
      DATA_DIR: join(folder, 'data', service),
      EVENTS_URL: 'http://127.0.0.1:1',
    })
    await answers(`http://127.0.0.1:${port}/healthz`)
    if (service === 'product') await answers(`http://127.0.0.1:${port}/`)
  }
})

test('every file that the compose file names is there', async () => {
  const compose = parse(await readFile(join(ROOT, 'deploy/compose.yaml'), 'utf8'), { merge: true }) as {
    services: Record<string, { build?: { dockerfile: string }; volumes?: string[]; command?: string[] }>
  }
  for (const [name, { build, volumes = [] }] of Object.entries(compose.services)) {
    if (build !== undefined)
      assert.ok(existsSync(join(ROOT, build.dockerfile)), `${name}: ${build.dockerfile}`)
    for (const source of volumes
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((path) => path.startsWith('.'))) {
      assert.ok(existsSync(join(ROOT, 'deploy', source)), `${name}: ${source}`)
    }
  }
})
