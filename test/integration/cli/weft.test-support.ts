/** The `weft` command as a person runs it: real processes in a temporary folder, and a look at what they leave behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'

const WEFT = join(import.meta.dirname, '../../../control-plane/bin/weft.js')

/** An app that answers 200 to everything and calls `http://back/hello` on /call; ends with code 3 on /crash. */
const APP = `import { createServer } from 'node:http'
console.log('app starts')
const server = createServer(async (request, response) => {
  if (request.url === '/crash') {
    console.error('last words')
    process.exit(3)
  }
  if (request.url !== '/call') return response.end(process.env.GREETING ?? 'hello')
  const answer = await fetch('http://back/hello')
  response.writeHead(answer.status)
  response.end(await answer.text())
})
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`

const POLICIES = `apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: front }
spec:
  target: { service: front }
  rules: [{ from: [{ anonymous: true }] }]
---
apiVersion: mesh.weft.dev/v1
kind: AccessPolicy
metadata: { name: back }
spec:
  target: { service: back }
  rules: [{ from: [{ serviceAccount: front }], to: [{ http: { methods: [GET], paths: [/hello] } }] }]
`

export interface Project {
  readonly folder: string
  /** Runs a command to its end. */
  weft(...args: readonly string[]): Promise<Ended>
  /** Starts a command and leaves it running. */
  start(...args: readonly string[]): Running
  /** `weft up`, ready: the one JSON document that it prints then. */
  up(...args: readonly string[]): Promise<{ readonly command: Running; readonly mesh: MeshView }>
  write(file: string, text: string): Promise<void>
  /** Ids of all processes that come from this project, whoever their parent is now. */
  processes(): Promise<readonly number[]>
  /** Resolves when there are none any more; fails with their command lines if that takes too long. */
  untilNoProcess(): Promise<void>
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Running {
  readonly pid: number
  readonly ended: Promise<Ended>
  /** The JSON document that it has printed to stdout. */
  readonly firstDocument: Promise<string>
  readonly stderr: () => string
  signal(signal: NodeJS.Signals): void
  /** Resolves when stderr holds the text. */
  untilSaid(text: string): Promise<void>
}

export interface MeshView {
  readonly name: string
  readonly controlPlaneUrl: string
  readonly kafka?: { readonly bootstrapServers: readonly string[] }
  readonly services: readonly {
    readonly name: string
    readonly pid: number
    readonly sidecarPid: number
    readonly ports: Readonly<Record<string, number>>
    readonly ingressUrl?: string
  }[]
}

interface ProjectOptions {
  readonly kafka?: 'none' | { readonly properties?: Readonly<Record<string, string>> }
  /** More environment for every command. */
  readonly env?: Readonly<Record<string, string>>
  readonly back?: Readonly<Record<string, unknown>>
  readonly front?: Readonly<Record<string, unknown>>
}

/** A folder with a `weft.yaml` of two services, front and back; everything that comes from it is gone after the test. */
export async function createProject(test: TestContext, options: ProjectOptions = {}): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-cli-'))
  // Every process inherits it, so that those which have lost their parent are found too.
  const id = randomUUID()
  const mark = `CLI_TEST=${id}`
  const env = { ...environment(), ...options.env, CLI_TEST: id }
  const started = new Set<ChildProcess>()
  const project = projectIn(folder, { env, mark, started })
  test.after(async () => {
    for (const child of started)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
    try {
      await project.untilNoProcess()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  await mkdir(join(folder, 'mesh'))
  await project.write('app.mjs', APP)
  await project.write('mesh/policies.yaml', POLICIES)
  const service = { command: ['node', 'app.mjs'] }
  const file = {
    name: 'tiny',
    resources: './mesh',
    kafka: options.kafka ?? 'none',
    services: {
      front: { ...service, ingress: true, healthPath: '/healthz', ...options.front },
      back: { ...service, ...options.back },
    },
  }
  await project.write('weft.yaml', JSON.stringify(file))
  return project
}

/** The environment of this process without what would lead a command elsewhere, and `node` as the one that runs this. */
function environment(): NodeJS.ProcessEnv {
  const misleading = /^(WEFT_(?!CACHE_DIR)|KAFKA_|NODE_TEST_CONTEXT|NO_COLOR|FORCE_COLOR)/
  const kept = Object.entries(process.env).filter(([name]) => !misleading.test(name))
  return { ...Object.fromEntries(kept), PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) }
}

interface Marked {
  readonly env: NodeJS.ProcessEnv
  readonly mark: string
  readonly started: Set<ChildProcess>
}

function projectIn(folder: string, { env, mark, started }: Marked): Project {
  const start = (...args: readonly string[]): Running => {
    const child = spawn(process.execPath, [WEFT, ...args], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.add(child)
    return running(child)
  }
  const processes = () => processesMarked(mark)
  return {
    folder,
    start,
    processes,
    weft: (...args) => start(...args).ended,
    async up(...args) {
      const command = start('up', '-o', 'json', ...args)
      const document = await Promise.race([command.firstDocument, command.ended])
      if (typeof document !== 'string') throw new Error(`weft up is not ready:\n${command.stderr()}`)
      await command.untilSaid('is ready after')
      return { command, mesh: JSON.parse(document) as MeshView }
    },
    write: (file, text) => writeFile(join(folder, file), text),
    async untilNoProcess() {
      const end = Date.now() + 15_000
      for (let left = await processes(); left.length > 0; left = await processes()) {
        if (Date.now() > end)
          throw new Error(`still running: ${(await Promise.all(left.map(commandLine))).join('; ')}`)
        await delay(50)
      }
    },
  }
}

function running(child: ChildProcess): Running {
  let stdout = ''
  let stderr = ''
  const waiting = new Set<() => void>()
  const { promise: firstDocument, resolve: resolveDocument } = Promise.withResolvers<string>()
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (stdout.endsWith('\n}\n')) resolveDocument(stdout)
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const check of waiting) check()
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }))
  return {
    pid: child.pid ?? 0,
    ended,
    firstDocument,
    stderr: () => stderr,
    signal: (signal) => child.kill(signal),
    untilSaid: (text) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!stderr.includes(text)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}

/** Linux: /proc. The mark is in the environment that a process was started with. */
async function processesMarked(mark: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const environ = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '')
    // A zombie has no environment any more, and is gone for everybody but its parent.
    if (environ.split('\0').includes(mark)) found.push(Number(name))
  }
  return found
}

const commandLine = async (pid: number): Promise<string> =>
  (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ')

/** Does anybody accept connections there? */
export async function isOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** The port that a control plane prefers: as soon as one mesh lets go of it, that of another test takes it. */
const PREFERRED_PORT = 15_014

/** Every port that a mesh listens on, as far as it says, and has to itself. */
export function portsOf(mesh: MeshView): readonly number[] {
  return [
    Number(new URL(mesh.controlPlaneUrl).port),
    ...(mesh.kafka?.bootstrapServers ?? []).map((server) => Number(server.split(':')[1])),
    ...mesh.services.flatMap(({ ports }) => Object.values(ports)),
  ].filter((port) => port !== PREFERRED_PORT)
}
