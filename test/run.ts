/** `npm test`: every check, then unit tests, then integration tests on real parts. A word runs one stage only. */
import { spawn } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']

/** A hung test ends here, and names itself. */
const TEST_TIMEOUT_MS = 300_000

type Command = readonly [name: string, ...words: string[]]
const STAGES: Record<string, readonly Command[]> = {
  check: [
    ['format, lint, boundaries', 'biome', 'check', '.'],
    ['type-aware lint', 'oxlint', '--type-aware', '--quiet', '.'],
    ['types', 'tsc', '-p', '.'],
    ['types of the dashboard page', 'tsc', '-p', 'control-plane/src/dashboard/page'],
    ['dead code', 'knip'],
    ['generated code is current', ...NODE, 'test/generated-is-current.ts'],
  ],
  unit: [
    [
      'unit tests',
      ...NODE,
      '--test',
      ...tests('{schemas,broker-bridge,sidecar,control-plane,examples}/**/*.test.ts'),
    ],
  ],
  integration: [
    [
      'integration tests',
      ...NODE,
      '--test',
      '--test-concurrency=2',
      ...tests('test/{integration,conformance}/**/*.test.ts'),
    ],
  ],
}

function tests(pattern: string): string[] {
  const files = globSync(pattern, { cwd: ROOT, exclude: (name) => name.includes('node_modules') })
  return [`--test-timeout=${TEST_TIMEOUT_MS}`, '--test-reporter=spec', ...files]
}

function run([name, command = '', ...words]: Command): Promise<number> {
  const started = Date.now()
  process.stdout.write(`\n── ${name}\n`)
  return new Promise((resolve) => {
    const child = spawn(command, words, { cwd: ROOT, stdio: 'inherit' })
    child.once('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      resolve(1)
    })
    child.once('exit', (code) => {
      process.stdout.write(
        `── ${name}: ${code === 0 ? 'passed' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s\n`,
      )
      resolve(code ?? 1)
    })
  })
}

const wanted = process.argv[2]
if (wanted !== undefined && !(wanted in STAGES)) {
  process.stderr.write(`no stage ${wanted}: one of ${Object.keys(STAGES).join(', ')}\n`)
  process.exit(2)
}
const failed: string[] = []
for (const [stage, commands] of Object.entries(STAGES)) {
  if (wanted !== undefined && stage !== wanted) continue
  for (const command of commands) if ((await run(command)) !== 0) failed.push(command[0])
}
process.stdout.write(failed.length === 0 ? '\nall passed\n' : `\nfailed: ${failed.join(', ')}\n`)
process.exit(failed.length === 0 ? 0 : 1)
