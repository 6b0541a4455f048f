import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'
import { API_VERSION, type PositionedFault, type Resource, readResources } from '@weft/schemas/resources'
import { stringify } from 'yaml'
import { type FileState, toEntry } from '../../source/file-state.ts'
import { joinFiles } from '../../source/resource-set.ts'
import { CliError, type Fault } from '../errors.ts'
import { MESH_FILE_NAME, type MeshFile } from './mesh-file.ts'

const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json'])
/** As the control plane: a tree deeper than this is a loop. */
const MAX_DEPTH = 16

/** Reads all resource files of files and folders, without a control plane. Names in faults are as seen from `cwd`. */
export async function readFolders(paths: readonly string[], cwd: string): Promise<readonly FileState[]> {
  const files: FileState[] = []
  for (const path of paths)
    for (const file of await filesUnder(path, 0))
      files.push(fileState(shownName(file, cwd), await readFile(file, 'utf8')))
  return files
}

/** A text as the store of the control plane sees a file. */
export function fileState(path: string, text: string): FileState {
  const { resources, faults } = readResources(text, path)
  const entries = resources.map((read) => toEntry(read))
  return { path, realPath: path, root: '', mode: 0o600, stamp: '', text, entries, faults }
}

interface Judged {
  readonly resources: readonly Resource[]
  readonly faults: readonly PositionedFault[]
  readonly warnings: readonly PositionedFault[]
}

/**
 * All files together, by the rules of the control plane. Names that nobody has are looked for only where the files are
 * `whole`, and only when each of them is right: what a faulty file would have defined is not unknown.
 */
export function judge(files: readonly FileState[], whole: boolean): Judged {
  const own = files.flatMap(({ faults }) => faults)
  const joined = joinFiles(files, [])
  const { resources } = joined
  if (own.length > 0 || !whole) return { resources, faults: own, warnings: [] }
  return { resources, faults: joined.faults, warnings: joined.warnings }
}

/** As a person at `cwd` would write it. */
export function shownName(file: string, cwd: string): string {
  const short = relative(cwd, file)
  return short === '' || short.startsWith('..') ? file : short
}

async function filesUnder(path: string, depth: number): Promise<string[]> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new CliError(`${path} cannot be read (${error.code})`, { cause: error })
  })
  // A file that is named is read whatever its ending; in a folder only what the control plane would read too.
  if (!found.isDirectory()) return depth === 0 || isResourceFile(path) ? [path] : []
  if (depth > MAX_DEPTH) throw new CliError(`${path} is nested more than ${MAX_DEPTH} folders deep`)
  const names = (await readdir(path)).filter((name) => !name.startsWith('.')).sort()
  const files: string[] = []
  for (const name of names) files.push(...(await filesUnder(join(path, name), depth + 1)))
  return files
}

const isResourceFile = (path: string): boolean =>
  EXTENSIONS.has(extname(path).toLowerCase()) && basename(path) !== MESH_FILE_NAME

/** The resources of a mesh file, judged together with the Services that `weft up` adds. */
export interface MeshResources extends Judged {
  /** Services of the mesh file that no resource file defines: reachable by their names all the same. */
  readonly unwritten: readonly string[]
}

export async function meshResources(mesh: MeshFile, cwd: string): Promise<MeshResources> {
  const files = await readFolders(mesh.resources, cwd)
  const written = joinFiles(files, []).resources
  const { name: meshName, namespace, services } = mesh
  const isWritten = (name: string) => written.some((resource) => isService(resource, name, namespace))
  const unwritten = services.map(({ name }) => name).filter((name) => !isWritten(name))
  const implied = fileState(meshName, unwritten.map((name) => serviceYaml(name, namespace)).join('---\n'))
  return { ...judge([...files, implied], true), unwritten }
}

/** Throws with every fault at once: nothing is started on resources that cannot work. */
export async function checkMeshResources(mesh: MeshFile, cwd: string): Promise<MeshResources> {
  const found = await meshResources(mesh, cwd)
  const faults: Fault[] = [...found.faults, ...blindServices(mesh, found.resources)]
  if (faults.length === 0) return found
  const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
  throw new CliError(`the resources of ${mesh.name} have ${count}; nothing was started`, { faults })
}

/** Services that would never find the workload that `weft up` makes for them. */
function blindServices(mesh: MeshFile, resources: readonly Resource[]): readonly Fault[] {
  return mesh.services
    .map(({ name }) => resources.find((resource) => isService(resource, name, mesh.namespace)))
    .filter(
      (service) => service?.kind === 'Service' && !selectsApp(service.spec.selector, service.metadata.name),
    )
    .map((service) => ({
      message: `Service ${mesh.namespace}/${service?.metadata.name}: expected the selector { app: ${service?.metadata.name} }, because that is the label of the workload that \`weft up\` makes`,
    }))
}

const isService = ({ kind, metadata }: Resource, name: string, namespace: string): boolean =>
  kind === 'Service' && metadata.name === name && metadata.namespace === namespace

const selectsApp = (selector: Readonly<Record<string, string>>, name: string): boolean =>
  Object.entries(selector).every(([label, value]) => label === 'app' && value === name)

interface WorkloadSettings {
  readonly name: string
  readonly namespace: string
  readonly service: string
  readonly serviceAccount: string
  readonly appPort: number
  readonly ports: { readonly inbound: number; readonly admin: number }
}

/** The instance behind a sidecar; its label `app` is what `serviceResource` selects. */
export const workloadResource = ({
  name,
  namespace,
  service,
  serviceAccount,
  appPort,
  ports,
}: WorkloadSettings) => ({
  apiVersion: API_VERSION,
  kind: 'Workload',
  metadata: { name, namespace, labels: { app: service } },
  spec: { serviceAccount, inboundPort: ports.inbound, adminPort: ports.admin, appPort },
})

/** A Service that selects the workloads of that name. */
export function serviceYaml(name: string, namespace: string): string {
  return stringify(serviceResource(name, namespace))
}

export const serviceResource = (name: string, namespace: string) => ({
  apiVersion: API_VERSION,
  kind: 'Service',
  metadata: { name, namespace },
  spec: { selector: { app: name } },
})
