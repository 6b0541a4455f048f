import { readFile, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { document } from '../document.ts'
import { type Fault, formatFault, usageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import type { Outcome } from '../program.ts'
import { type GlobalOptions, globals } from '../settings.ts'
import { MESH_FILE_NAME, parseMeshFile } from '../up/mesh-file.ts'
import { judge, meshResources, readFolders, shownName } from '../up/resources.ts'
import { next, say } from '../words.ts'

export function addValidate(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command('validate')
    .argument('[files...]', `files and folders of resources, or a ${MESH_FILE_NAME}`, ['.'])
    .action(async (files: readonly string[], _options: unknown, self: Command) => {
      outcome.exitCode = await validate(io, files, globals(self))
    })
  document(command, {
    description: 'Check resource files, without a control plane: every fault at once, with its place.',
    examples: [
      ['weft validate', `this folder, or the ${MESH_FILE_NAME} in it with its resources`],
      ['weft validate mesh/orders.yaml', 'one file, alone: names of other files are not looked up'],
      ['weft validate -o json mesh', 'for an editor or a CI job'],
    ],
    notes:
      'A fault: FILE:LINE:COLUMN PATH: expected …, came …   Exit code 1 if there is one; warnings do not count.\nJSON: {"resources", "faults": [{"file", "line", "column", "path", "message"}], "warnings": […]}.',
  })
}

interface Findings {
  readonly resources: number
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
}

async function validate(io: Io, paths: readonly string[], options: GlobalOptions): Promise<number> {
  const format = pickFormat(options.output, ['table', 'json'])
  const found: Findings[] = []
  for (const path of paths) found.push(await check(resolve(io.cwd, path), io.cwd))
  const faults = found.flatMap((each) => each.faults)
  const warnings = found.flatMap((each) => each.warnings)
  const resources = found.reduce((sum, each) => sum + each.resources, 0)
  if (format === 'json')
    io.out.write(toJson({ resources, faults: faults.map(plain), warnings: warnings.map(plain) }))
  else for (const fault of faults) io.out.write(`${formatFault(fault)}\n`)
  if (format !== 'json')
    for (const warning of warnings)
      say(io, options, `${io.err.paint('yellow', 'warning:')} ${formatFault(warning)}`)
  if (faults.length > 0) {
    say(io, options, `${faults.length === 1 ? 'one fault' : `${faults.length} faults`}`)
    return EXIT.failed
  }
  say(io, options, `${resources === 1 ? 'one resource' : `${resources} resources`}, no faults`)
  next(io, options, 'weft apply -f FILE, or weft up')
  return EXIT.ok
}

/** A mesh file with all that it names; else a folder as a whole; else one file for itself. */
async function check(path: string, cwd: string): Promise<Findings> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) throw usageError(`${shownName(path, cwd)} does not exist`)
  const meshFile = found.isDirectory() ? join(path, MESH_FILE_NAME) : path
  const isMesh =
    basename(meshFile) === MESH_FILE_NAME && (await stat(meshFile).catch(() => undefined)) !== undefined
  if (isMesh) return await checkMesh(meshFile, cwd)
  const { resources, faults, warnings } = judge(await readFolders([path], cwd), found.isDirectory())
  return { resources: resources.length, faults, warnings }
}

async function checkMesh(file: string, cwd: string): Promise<Findings> {
  const mesh = parseMeshFile(await readFile(file, 'utf8'), file)
  if ('faults' in mesh) {
    const faults = mesh.faults.map((fault) => ({ ...fault, file: shownName(file, cwd) }))
    return { resources: 0, faults, warnings: [] }
  }
  const { resources, faults, warnings, unwritten } = await meshResources(mesh, cwd)
  return { resources: resources.length - unwritten.length, faults, warnings }
}

const plain = ({ file, line, column, path, message }: Fault): Fault => ({
  ...(file !== undefined && { file }),
  ...(line !== undefined && { line }),
  ...(column !== undefined && { column }),
  ...(path !== undefined && { path }),
  message,
})
