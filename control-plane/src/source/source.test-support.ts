import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createLog } from '@weft/schemas/node/log'
import { createLocator, readResources } from '@weft/schemas/resources'
import { openStore, type PutRequest, type ResourceStore } from './index.ts'

export const silent = createLog('test')
silent.level = 'silent'

/** A resource as text; `spec` and what follows are YAML. */
export const yaml = (kind: string, name: string, spec: string): string =>
  `apiVersion: mesh.weft.dev/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`

export const topic = (name: string, spec = '{}'): string => yaml('Topic', name, spec)

export interface World {
  /** The watched folder. */
  readonly folder: string
  readonly stateDir: string
  write(name: string, text: string): Promise<void>
  open(options?: { readonly folders?: readonly string[]; readonly rescanMs?: number }): Promise<ResourceStore>
}

/** A watched folder and a state folder, gone after the test; so are the stores. */
export async function world(t: TestContext): Promise<World> {
  const root = await mkdtemp(join(tmpdir(), 'weft-source-'))
  const [folder, stateDir] = [join(root, 'resources'), join(root, 'state')]
  await mkdir(folder)
  await mkdir(stateDir)
  const stores: ResourceStore[] = []
  t.after(async () => {
    for (const store of stores) await store.close()
    await rm(root, { recursive: true, force: true })
  })
  return {
    folder,
    stateDir,
    write: (name, text) => writeFile(join(folder, name), text),
    open: async (options = {}) => {
      // Rescans are off unless a test is about them, so that what is seen was watched.
      const store = await openStore({
        stateDir,
        folders: [folder],
        log: silent,
        rescanMs: 3_600_000,
        settleMs: 10,
        ...options,
      })
      stores.push(store)
      return store
    },
  }
}

/** A put request from text, as the API makes it. */
export function request(text: string, options: Partial<PutRequest> = {}): PutRequest {
  const { resources, faults } = readResources(text, 'body')
  if (faults.length > 0) throw new Error(JSON.stringify(faults))
  const locator = createLocator(text)
  return {
    resources,
    mode: 'replace',
    dryRun: false,
    locate: (read, at) => ({ file: 'body', ...locator(read, at) }),
    ...options,
  }
}

/** `Topic default/a` and so on, sorted. */
export const names = (store: ResourceStore): readonly string[] =>
  store
    .resources()
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`)
    .sort()

/** Far longer than any change takes; a change that is never seen fails its own test instead of holding up all. */
const PATIENCE_MS = 20_000

/** Resolves as soon as the condition holds; it is looked at now and after each change of resources. */
export async function until(store: ResourceStore, condition: () => boolean): Promise<void> {
  if (condition()) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`not seen; there is ${names(store).join(', ')}`)),
      PATIENCE_MS,
    )
    const stop = store.onChange(() => {
      if (!condition()) return
      clearTimeout(timer)
      stop()
      resolve()
    })
  })
}

export const topicName = (name: string) => ({ kind: 'Topic', namespace: 'default', name }) as const
