// `npm run clean`: removes what runs leave behind (state, logs, broker data, built files); `--all` also the Kafka jars.
import { globSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const cache =
  process.env.WEFT_CACHE_DIR ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'weft')
const left = globSync(['.weft', 'build', '*/dist', 'examples/*/.weft', 'examples/*/.data'], {
  cwd: root,
}).map((name) => join(root, name))
for (const path of process.argv.includes('--all') ? [...left, cache] : left) {
  rmSync(path, { recursive: true, force: true })
  process.stdout.write(`removed ${path}\n`)
}
