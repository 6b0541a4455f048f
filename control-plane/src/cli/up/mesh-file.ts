import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { DEFAULT_NAMESPACE, type PositionedFault, readDocument } from '@weft/schemas/resources'
import { CliError, usageError } from '../errors.ts'
import { MESH_FILE_SCHEMA } from './mesh-file.schema.ts'

export const MESH_FILE_NAME = 'weft.yaml'

/** `weft.yaml`, complete: every default filled in, every path absolute. */
export interface MeshFile {
  readonly file: string
  /** The folder that the file is in. */
  readonly folder: string
  readonly name: string
  readonly namespace: string
  readonly resources: readonly string[]
  readonly kafka: KafkaSettings | 'none'
  readonly services: readonly ServiceSettings[]
}

export interface KafkaSettings {
  /** Port that the broker gets if it is free. */
  readonly port?: number
  readonly properties: Readonly<Record<string, string>>
}

export interface ServiceSettings {
  readonly name: string
  readonly serviceAccount: string
  readonly command: readonly [string, ...string[]]
  /** Port that the app gets if it is free. */
  readonly port?: number
  /** A number is the port that ingress gets if it is free. */
  readonly ingress: boolean | number
  readonly env: Readonly<Record<string, string>>
  readonly workdir: string
  /** Without one, an open port is health enough. */
  readonly healthPath?: string
  readonly watch: readonly string[]
  readonly restart: 'never' | 'always'
}

/** The file that a FOLDER|FILE argument means. */
export async function findMeshFile(argument: string, cwd: string): Promise<string> {
  const path = resolve(cwd, argument)
  const found = await stat(path).catch(() => undefined)
  if (found === undefined)
    throw usageError(`${argument} does not exist`, `Name a folder with a ${MESH_FILE_NAME}, or the file.`)
  return found.isDirectory() ? join(path, MESH_FILE_NAME) : path
}

/** Reads and completes the file. Throws a CliError with every fault at once. */
export async function readMeshFile(file: string): Promise<MeshFile> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new CliError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      hint: `\`weft up\` starts a mesh from a ${MESH_FILE_NAME}; see examples/ecommerce for one.`,
      cause: error,
    })
  }
  const mesh = parseMeshFile(text, file)
  if ('faults' in mesh) throw faulty(file, mesh.faults)
  const missing = await missingFolders(text, mesh)
  if (missing.length > 0) throw faulty(file, missing)
  return mesh
}

const faulty = (file: string, faults: readonly PositionedFault[]): CliError =>
  new CliError(
    `${file} has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; nothing was started`,
    { faults },
  )

/** The other parts of a mesh: their logs and lines of progress have these names. */
const RESERVED = /^(?:kafka|control-plane|.*-sidecar)$/

/** Pure part of `readMeshFile`: what the text says, or its faults. */
export function parseMeshFile(
  text: string,
  file: string,
): MeshFile | { readonly faults: readonly PositionedFault[] } {
  const { value, faults, faultAt } = readDocument({ text, file, schema: MESH_FILE_SCHEMA })
  if (faults.length > 0) return { faults }
  const input = value as MeshFileInput
  const own: PositionedFault[] = []
  if (typeof input.kafka === 'string' && input.kafka !== 'none')
    own.push(faultAt(['kafka'], 'a map of settings, or none', JSON.stringify(input.kafka)))
  for (const [name, service] of Object.entries(input.services)) {
    if (RESERVED.test(name))
      own.push(
        faultAt(['services', name], 'a name that is not kafka, control-plane or …-sidecar', 'one of these'),
      )
    if (service.healthPath !== undefined && !/^\/[\x21-\x7e]*$/.test(service.healthPath))
      own.push(
        faultAt(
          ['services', name, 'healthPath'],
          'a path that begins with /',
          JSON.stringify(service.healthPath),
        ),
      )
    for (const key of Object.keys(service.env ?? {}))
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
        own.push(
          faultAt(['services', name, 'env', key], 'the name of an environment variable', JSON.stringify(key)),
        )
  }
  return own.length > 0 ? { faults: own } : complete(input, file)
}

interface MeshFileInput {
  readonly name: string
  readonly namespace?: string
  readonly resources?: string | readonly string[]
  readonly kafka?: KafkaInput | string | null
  readonly services: Readonly<Record<string, ServiceInput>>
}

type Scalars = Readonly<Record<string, string | number | boolean>>

interface KafkaInput {
  readonly port?: number
  readonly properties?: Scalars
}

interface ServiceInput {
  readonly command: readonly [string, ...string[]]
  readonly serviceAccount?: string
  readonly port?: number
  readonly ingress?: boolean | number
  readonly env?: Scalars
  readonly workdir?: string
  readonly healthPath?: string
  readonly watch?: readonly string[]
  readonly restart?: 'never' | 'always'
}

function complete(input: MeshFileInput, file: string): MeshFile {
  const folder = dirname(file)
  const { resources = [], kafka } = input
  return {
    file,
    folder,
    name: input.name,
    namespace: input.namespace ?? DEFAULT_NAMESPACE,
    resources: (typeof resources === 'string' ? [resources] : resources).map((path) => resolve(folder, path)),
    kafka: typeof kafka === 'string' ? 'none' : completeKafka(kafka ?? {}),
    services: Object.entries(input.services).map(([name, service]) => completeService(name, service, folder)),
  }
}

const completeKafka = ({ port, properties = {} }: KafkaInput): KafkaSettings => ({
  ...(port !== undefined && { port }),
  properties: texts(properties),
})

function completeService(name: string, input: ServiceInput, folder: string): ServiceSettings {
  const { port, healthPath } = input
  return {
    name,
    serviceAccount: input.serviceAccount ?? name,
    command: input.command,
    ...(port !== undefined && { port }),
    ingress: input.ingress ?? false,
    env: texts(input.env ?? {}),
    workdir: resolve(folder, input.workdir ?? '.'),
    ...(healthPath !== undefined && { healthPath }),
    watch: (input.watch ?? []).map((path) => resolve(folder, path)),
    restart: input.restart ?? 'never',
  }
}

const texts = (values: Scalars): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))

/** Folders that the file names and that are not there: found now and not when a process cannot start in them. */
async function missingFolders(text: string, mesh: MeshFile): Promise<readonly PositionedFault[]> {
  const { faultAt } = readDocument({ text, file: mesh.file, schema: {} })
  const wanted: [at: (string | number)[], path: string][] = [
    ...mesh.resources.map((path): [string[], string] => [['resources'], path]),
    ...mesh.services.flatMap(({ name, workdir, watch }): [string[], string][] => [
      [['services', name, 'workdir'], workdir],
      ...watch.map((path): [string[], string] => [['services', name, 'watch'], path]),
    ]),
  ]
  const faults: PositionedFault[] = []
  for (const [at, path] of wanted)
    if ((await stat(path).catch(() => undefined)) === undefined)
      faults.push(faultAt(at, 'a path that exists', path))
  return faults
}
