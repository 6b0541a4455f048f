/** `npm run demo`: the example on a real Kafka until Ctrl-C; with `--once` the whole flow by itself, checked. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mesh, startMesh } from '@weft/control-plane/cli/mesh'
import { ProgressLines } from '@weft/control-plane/cli/progress'
import { type Played, playOnce } from './once.ts'
import { screenOf } from './screen.ts'
import { shopUrl } from './shop.ts'

const ROOT = join(import.meta.dirname, '../..')
const FILE = join(ROOT, 'examples/ecommerce/weft.yaml')
const USAGE = `usage: npm run demo [-- --once]

  (nothing)   start everything, print the URLs, run until Ctrl-C
  --once      start, play one order and two refusals, check them, stop; the last line is JSON, exit 0 if all held
`

const words = process.argv.slice(2)
if (words.includes('--help') || words.some((word) => word !== '--once')) {
  process.stderr.write(USAGE)
  process.exit(words.includes('--help') ? 0 : 2)
}
const once = words.includes('--once')

const lines = new ProgressLines(screenOf(process.stderr))
const stop = new AbortController()
const kill = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => (stop.signal.aborted ? kill : stop).abort(new Error(`stopped by ${signal}`)))
}

/** A run that checks itself begins with nothing, and leaves nothing. */
const stateDir = once ? await mkdtemp(join(tmpdir(), 'weft-demo-')) : undefined
try {
  const started = Date.now()
  const mesh = await startMesh({
    file: FILE,
    signal: stop.signal,
    killSignal: kill.signal,
    preferDefaultPorts: !once,
    contextFolders: once ? [] : [ROOT, join(ROOT, 'examples/ecommerce')],
    onProgress: (progress) => lines.show(progress),
    ...(stateDir !== undefined && { stateDir }),
  })
  lines.settle()
  process.exitCode = once ? await checked(mesh) : await served(mesh, Date.now() - started)
} catch (error) {
  lines.settle()
  process.stderr.write(`${describe(error)}\n`)
  process.exitCode = 1
} finally {
  if (stateDir !== undefined) await rm(stateDir, { recursive: true, force: true })
}

/** Runs until it is stopped, or a part of it ends by itself. */
async function served(mesh: Mesh, ms: number): Promise<number> {
  const broker =
    mesh.kafka === undefined ? 'none' : `${mesh.kafka.bootstrapServers.join(',')} (${mesh.kafka.security})`
  process.stdout.write(`
Ready after ${(ms / 1000).toFixed(1)} s. Ctrl-C stops all of it.

  shop page   ${shopUrl(mesh)}/
  dashboard   ${mesh.controlPlaneUrl}/
  broker      ${broker}

Press Buy Now and follow the link to the trace. Then, in another terminal in this folder:

  npx weft can billing-service produce orders     who may do what, and which policy says so
  npx weft stop billing-service                   orders wait; npx weft start billing-service
  npx weft status                                 the state of the mesh

`)
  const error = await mesh.ended
  lines.settle()
  if (error === undefined) return 0
  process.stderr.write(`${describe(error)}\n`)
  return 1
}

async function checked(mesh: Mesh): Promise<number> {
  let played: Played
  try {
    played = await playOnce(mesh)
  } finally {
    await mesh.stop()
    lines.settle()
  }
  const { account, result, faults } = played
  process.stdout.write(`\n${account.join('\n')}\n`)
  for (const fault of faults) process.stdout.write(`✕ ${fault}\n`)
  process.stdout.write(`${JSON.stringify(result)}\n`)
  return faults.length === 0 ? 0 : 1
}

/** What failed, with the last lines of the log of the part that failed, where there are some. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { quote, hint } = error as { quote?: readonly string[]; hint?: string }
  return [
    error.message,
    ...(quote ?? []).map((line) => `  ${line}`),
    ...(hint === undefined ? [] : [hint]),
  ].join('\n')
}
