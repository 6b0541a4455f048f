/**
 * Builds the folder that a container image holds: `node deploy/image/build.ts sidecar OUT`. JavaScript emitted once
 * by tsc, production dependencies of that process only, nothing else. The Dockerfiles call this; so does the test
 * that starts each process from its folder.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')

interface Image {
  /** The workspace whose dependencies are installed. */
  readonly workspace: string
  /** Folders whose TypeScript is emitted. */
  readonly sources: readonly string[]
  /** Files that are taken as they are (globs from the root). */
  readonly assets: readonly string[]
}

export const IMAGES: Readonly<Record<string, Image>> = {
  sidecar: {
    workspace: '@weft/sidecar',
    sources: ['schemas/src', 'broker-bridge/src', 'sidecar/src'],
    assets: [],
  },
  'control-plane': {
    workspace: '@weft/control-plane',
    sources: ['schemas/src', 'control-plane/src'],
    assets: ['control-plane/bin/*', 'control-plane/dist/dashboard/**', 'deploy/kafka/*'],
  },
  ecommerce: {
    workspace: '@weft-examples/ecommerce',
    sources: ['examples/ecommerce/src'],
    assets: ['examples/ecommerce/src/*/page/**', 'schemas/avro/*.avsc'],
  },
}

/** Fills `out` (made anew) with the image of that name. Throws with the tool's output when a step fails. */
export function buildImage(name: string, out: string): void {
  const image = IMAGES[name]
  if (image === undefined) throw new Error(`no image ${name}: one of ${Object.keys(IMAGES).join(', ')}`)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  emit(image, out)
  for (const file of image.assets.flatMap((pattern) =>
    globSync(pattern, { cwd: ROOT, withFileTypes: true }),
  )) {
    if (file.isFile()) copy(join(file.parentPath, file.name).slice(resolve(ROOT).length + 1), out)
  }
  for (const launcher of globSync('*/bin/*.js', { cwd: out })) pointAtJavaScript(join(out, launcher))
  install(image, out)
}

function emit(image: Image, out: string): void {
  const settings = join(ROOT, `build/tsconfig.${image.workspace.replaceAll('/', '-')}.json`)
  mkdirSync(dirname(settings), { recursive: true })
  const compilerOptions = {
    noEmit: false,
    rootDir: '..',
    outDir: resolve(out),
    declaration: false,
    sourceMap: false,
  }
  const include = image.sources.map((folder) => `../${folder}`)
  const exclude = [
    '../**/*.test.ts',
    '../**/*.test-support.ts',
    '../**/dashboard/page/**',
    '../**/vite.config.ts',
    '../**/node_modules',
  ]
  writeFileSync(settings, JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include, exclude }))
  execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', settings], { stdio: 'inherit' })
}

/** `npm ci` wants every manifest that the lock file speaks of; what the image does not hold is taken out afterwards. */
function install(image: Image, out: string): void {
  const manifests = [
    'package.json',
    'package-lock.json',
    '.npmrc',
    ...globSync(['*/package.json', 'examples/*/package.json'], { cwd: ROOT }),
  ]
  for (const manifest of manifests.filter((file) => !file.startsWith('build/'))) copy(manifest, out)
  execFileSync(
    'npm',
    ['ci', '--omit=dev', '--ignore-scripts', '--no-progress', `--workspace=${image.workspace}`],
    {
      cwd: out,
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  // The root manifest only keeps the workspaces together: no scripts, no development dependencies.
  const { name, version, license, type, workspaces } = JSON.parse(
    readFileSync(join(out, 'package.json'), 'utf8'),
  ) as Record<string, unknown>
  writeFileSync(
    join(out, 'package.json'),
    `${JSON.stringify({ name, version, private: true, license, type, workspaces }, null, 2)}\n`,
  )
  const held = new Set(image.sources.map((folder) => join(dirname(folder), 'package.json')))
  for (const manifest of manifests) {
    if (held.has(manifest)) pointAtJavaScript(join(out, manifest))
    else if (manifest !== 'package.json') rmSync(join(out, manifest), { force: true })
  }
  // The folders of the other manifests are empty now.
  for (const folder of globSync(['examples/*/', '*/'], { cwd: out }).sort().reverse()) {
    if (readdirSync(join(out, folder)).length === 0) rmdirSync(join(out, folder))
  }
}

/** Paths of sources in a manifest or a launcher become those of what was emitted. */
function pointAtJavaScript(file: string): void {
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/(\.\/src\/[^"']+)\.ts(["'])/g, '$1.js$2'))
}

function copy(file: string, out: string): void {
  mkdirSync(dirname(join(out, file)), { recursive: true })
  cpSync(join(ROOT, file), join(out, file))
}

if (import.meta.main) {
  const [name, out] = process.argv.slice(2)
  if (name === undefined || out === undefined) {
    process.stderr.write(`usage: node deploy/image/build.ts ${Object.keys(IMAGES).join('|')} FOLDER\n`)
    process.exit(2)
  }
  buildImage(name, out)
}
