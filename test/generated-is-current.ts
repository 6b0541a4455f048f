/** Generates the protobuf code and the reference pages anew and compares them with what is committed. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { renderReference } from '../docs/reference/generate.ts'

const PROTO = join(import.meta.dirname, '../schemas/proto')
const REFERENCE = join(import.meta.dirname, '../docs/reference')
const COMMITTED = join(import.meta.dirname, '../schemas/src/proto/gen')
const fresh = mkdtempSync(join(tmpdir(), 'weft-generated-'))

const filesOf = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [relative(folder, file), readFileSync(file, 'utf8')]),
  )

try {
  const template = readFileSync(join(PROTO, 'buf.gen.yaml'), 'utf8').replace('../src/proto/gen', fresh)
  execFileSync('buf', ['lint'], { cwd: PROTO, stdio: 'inherit' })
  execFileSync('buf', ['generate', '--template', template], { cwd: PROTO, stdio: 'inherit' })
  const [committed, generated] = [filesOf(COMMITTED), filesOf(fresh)]
  const staleCode = [...new Set([...committed.keys(), ...generated.keys()])].filter(
    (file) => committed.get(file) !== generated.get(file),
  )
  const stalePages = Object.entries(renderReference())
    .filter(([name, text]) => readFileSync(join(REFERENCE, name), 'utf8') !== text)
    .map(([name]) => `docs/reference/${name}`)
  const stale = [...staleCode, ...stalePages]
  if (stale.length > 0) {
    process.stderr.write(`not current, run \`npm run generate\`:\n  ${stale.join('\n  ')}\n`)
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
}
