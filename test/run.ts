/** `npm test`: every check, then unit tests, then integration tests on real parts. A word runs one stage only. */
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']

/** Where the integration tests leave the paths of the files in which something failed. */
const FAILED_FILES = join(mkdtempSync(join(tmpdir(), 'weft-test-')), 'failed-files')
process.once('exit', () => rmSync(dirname(FAILED_FILES), { recursive: true }))
/** A hung test ends here, and names itself. */
const TEST_TIMEOUT_MS = 300_000
/** Real brokers and whole meshes: each start is a burst of work, and most of a test is waiting. */
const INTEGRATION_CONCURRENCY = 3

type Command = readonly [name: string, command: string, ...words: string[]]
/** The commands of a stage run side by side; a stage begins when the one before has ended. */
const STAGES: Record<string, readonly Command[]> = {
  check: [
    ['format, lint, boundaries', 'biome', 'check', '.'],
    ['type-aware lint', 'oxlint', '--type-aware', '--quiet', '.'],
    ['types', 'tsc', '-p', '.'],
    ['types of the dashboard page', 'tsc', '-p', 'control-plane/src/dashboard/page'],
    ['types of the shop page', 'tsc', '-p', 'examples/ecommerce/src/product/page'],
    ['dead code', 'knip'],
    ['generated code is current', process.execPath, 'test/generated-is-current.ts'],
  ],
  // Two processes for two cores; within one, files share it, which spares a start of Node for each.
  unit: [
    ['unit tests of the control plane', ...unitTests('control-plane/src/**/*.test.ts')],
    ['unit tests of all else', ...unitTests('{schemas,broker-bridge,sidecar,examples,docs}/**/*.test.ts')],
  ],
  integration: [
    [
      'integration tests',
      ...nodeTest(
        `--test-concurrency=${INTEGRATION_CONCURRENCY}`,
        '--test-reporter-destination=stdout',
        '--test-reporter=./test/failed-files.ts',
        `--test-reporter-destination=${FAILED_FILES}`,
      ),
      ...files('test/{integration,conformance}/**/*.test.ts'),
    ],
  ],
}

function unitTests(pattern: string): readonly [string, ...string[]] {
  return [...nodeTest('--test-isolation=none'), ...files(pattern)]
}

function nodeTest(...words: string[]): readonly [string, ...string[]] {
  const [node = '', ...flags] = NODE
  return [node, ...flags, '--test', `--test-timeout=${TEST_TIMEOUT_MS}`, '--test-reporter=spec', ...words]
}

function files(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT, exclude: (name) => name.includes('node_modules') }).sort()
}

/** Resolves with the exit code. What a command writes that runs beside others comes out whole, when it has ended. */
function run([name, command, ...words]: Command, isAlone: boolean): Promise<number> {
  const started = Date.now()
  if (isAlone) process.stdout.write(`\n── ${name}\n`)
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => void (isAlone ? process.stdout.write(data) : output.push(data)))
    const end = (code: number): void => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1)
      if (!isAlone) process.stdout.write(`\n── ${name}\n${Buffer.concat(output).toString()}`)
      process.stdout.write(`── ${name}: ${code === 0 ? 'passed' : 'FAILED'} in ${seconds} s\n`)
      resolve(code)
    }
    child.once('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`))
      end(1)
    })
    child.once('close', (code) => end(code ?? 1))
  })
}

/**
 * Integration tests share two cores with the brokers and meshes of their neighbours, and a start that takes a second alone can take
 * half a minute there. A file that failed among others is run once more by itself: what fails then has failed.
 */
function runFailedAlone(): Promise<number> {
  const failedFiles = existsSync(FAILED_FILES)
    ? readFileSync(FAILED_FILES, 'utf8').split('\n').filter(Boolean)
    : []
  if (failedFiles.length === 0) return Promise.resolve(1)
  const what = 'what failed beside others, each file by itself'
  return run([what, ...nodeTest('--test-concurrency=1'), ...failedFiles], true)
}

const wanted = process.argv[2]
if (wanted !== undefined && !(wanted in STAGES)) {
  process.stderr.write(`no stage ${wanted}: one of ${Object.keys(STAGES).join(', ')}\n`)
  process.exit(2)
}
const failed: string[] = []
for (const [stage, commands] of Object.entries(STAGES)) {
  if (wanted !== undefined && stage !== wanted) continue
  process.stderr.write(`weft: ${stage} …\n`)
  const codes = await Promise.all(commands.map((command) => run(command, commands.length === 1)))
  if (stage === 'integration' && codes[0] !== 0) codes[0] = await runFailedAlone()
  failed.push(...commands.filter((_, index) => codes[index] !== 0).map(([name]) => name))
}
process.stdout.write(failed.length === 0 ? '\nall passed\n' : `\nfailed: ${failed.join(', ')}\n`)
process.exit(failed.length === 0 ? 0 : 1)
