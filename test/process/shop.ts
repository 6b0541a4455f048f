/** The e-commerce example as a whole mesh of real processes, in a temporary folder whose resource files a test may edit. */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Mesh, startMesh } from '@weft/control-plane/cli/mesh'
import { parse, stringify } from 'yaml'
import { ending } from './ending.ts'

const EXAMPLE = join(import.meta.dirname, '../../examples/ecommerce')

export interface ShopOptions {
  /** More environment, by service. */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** What happens when an app ends by itself. */
  readonly restart?: 'always' | 'never'
}

export interface Shop {
  readonly mesh: Mesh
  /** The folder of resource files that the control plane watches. */
  readonly resources: string
  /** The folder with the SQLite file of a service. */
  dataOf(service: string): string
  /** Lines that the sidecar of a service has logged, as objects. */
  sidecarLog(service: string): Promise<Record<string, unknown>[]>
}

interface MeshFile {
  readonly services: Record<string, { env?: Record<string, string>; restart?: string }>
}

/** Starts it and stops it after the test; on failure the logs' last lines are in the test's diagnostics. */
export async function startShop(test: TestContext, options: ShopOptions = {}): Promise<Shop> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-shop-'))
  const end = ending(test)
  end.defer(() => rm(folder, { recursive: true, force: true }))
  const dataOf = (service: string): string => join(folder, 'data', service)

  await cp(join(EXAMPLE, 'mesh'), join(folder, 'mesh'), { recursive: true })
  await symlink(join(EXAMPLE, 'src'), join(folder, 'src'))
  const file = parse(await readFile(join(EXAMPLE, 'weft.yaml'), 'utf8')) as MeshFile
  for (const [name, service] of Object.entries(file.services)) {
    service.env = { ...service.env, ...options.env?.[name], DATA_DIR: dataOf(name) }
    if (options.restart !== undefined) service.restart = options.restart
  }
  await writeFile(join(folder, 'weft.yaml'), stringify(file))

  const mesh = await startMesh({ file: join(folder, 'weft.yaml'), stateDir: join(folder, 'state') })
  end.defer(() => mesh.stop())
  return {
    mesh,
    resources: join(folder, 'mesh'),
    dataOf,
    sidecarLog: async (name) => {
      const service = mesh.services.get(name)
      if (service === undefined) throw new Error(`no service ${name}`)
      const text = await readFile(service.sidecarLogFile, 'utf8')
      return text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    },
  }
}
