// Entry of `npm run demo`, `npm test` and the rest: plain JavaScript without dependencies, so that it runs on a
// fresh clone with any Node from 20. Installs what is missing, then runs the named script under the pinned Node 24.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const PINNED_NODE = join(ROOT, 'node_modules/node/bin/node')
const [script, ...args] = process.argv.slice(2)

const major = Number(process.versions.node.split('.')[0])
if (major < 20) fail(`Weft needs Node 20 or newer to start with; this is ${process.version}.`)

await step(
  'node_modules/.weft-installed',
  ['package-lock.json'],
  'installing packages (npm ci)',
  npm('ci', '--no-progress'),
)
await step(
  'control-plane/dist/.weft-built',
  ['package-lock.json', ...filesUnder('control-plane/src/dashboard')],
  'building the dashboard',
  npm('run', '--silent', 'build:dashboard'),
)

// Ctrl-C reaches the whole process group: the script stops in order by itself, this process waits for it.
process.on('SIGINT', () => {})
const child = spawn(PINNED_NODE, ['--disable-warning=ExperimentalWarning', join(ROOT, script), ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH}` },
})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)))

/** Runs `command` unless the stamp says that it ran on the same inputs; its output is shown only when it fails. */
async function step(stamp, inputs, what, command) {
  const stampFile = join(ROOT, stamp)
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(input).update(readFileSync(join(ROOT, input)))
  const digest = hash.digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === digest) return

  const started = Date.now()
  process.stderr.write(`weft: ${what} … `)
  const ticker = setInterval(() => process.stderr.write('.'), 2000)
  const { code, output } = await run(command)
  clearInterval(ticker)
  if (code !== 0) {
    process.stderr.write('failed\n')
    fail(`${output}\n${what} failed (exit ${code}). Is an npm registry reachable?`)
  }
  process.stderr.write(` ${((Date.now() - started) / 1000).toFixed(1)} s\n`)
  writeFileSync(stampFile, digest)
}

/** npm by the Node that runs this, or by its name on the PATH. */
function npm(...words) {
  const entry = process.env.npm_execpath
  return entry === undefined ? ['npm', ...words] : [process.execPath, entry, ...words]
}

function run([command, ...words]) {
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data))
    child.once('error', (error) => resolve({ code: 1, output: String(error) }))
    child.once('close', (code) => resolve({ code, output }))
  })
}

function filesUnder(folder) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length + 1))
    .sort()
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
