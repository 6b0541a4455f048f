/**
 * The one resource store: files are the truth, memory is what they said when they were last right.
 *
 *   watch, rescan ─┐                       ┌─ onChange → snapshots, topics
 *                  ├→ load → join → swap ──┤
 *   API: plan ─────┘   ↑                   └─ faults, warnings → API, log
 *          └→ change files (durable)
 *
 * One task at a time: a change by the API reads the files, judges, writes and reads again before the next begins.
 */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Log } from '@weft/schemas/node/log'
import type { PositionedFault, Resource } from '@weft/schemas/resources'
import { isTemporary } from './atomic-file.ts'
import {
  type ChangeContext,
  keyOf,
  type PutRequest,
  type PutResult,
  put,
  type ResourceName,
  remove,
} from './changes.ts'
import { listFolders } from './folders.ts'
import { completeJournal } from './journal.ts'
import { openLastGood } from './last-good.ts'
import { LiveSet } from './live-set.ts'
import { etagOf } from './plan.ts'
import type { Stored } from './resource-set.ts'
import { createSerial } from './serial.ts'
import { openVersionCounter } from './version-counter.ts'
import { createWatch } from './watch.ts'

export interface StoreOptions {
  readonly stateDir: string
  /** Watched folders; one that is missing is a fault and is read when it appears. */
  readonly folders: readonly string[]
  readonly log: Log
  /** Quiet time after a change of a file before it is read; default 50. */
  readonly settleMs?: number
  /** How often everything is looked at without a change being seen; default 2000. */
  readonly rescanMs?: number
}

/** Two events of one save are microseconds apart; 50 ms is not felt. */
const DEFAULT_SETTLE_MS = 50
const MAX_SETTLE_MS = 500
/** Only the last resort: a stat per file. */
const DEFAULT_RESCAN_MS = 2000

/** A resource as the API shows it. */
export interface StoredResource {
  readonly resource: Resource
  readonly etag: string
  readonly source: { readonly file: string; readonly line: number } | 'api'
}

export interface ResourceStore {
  /** Grows with each change of any resource, over restarts too. */
  version(): number
  /** A new array for each version. */
  resources(): readonly Resource[]
  stored(): readonly StoredResource[]
  find(name: ResourceName): StoredResource | undefined
  /** What is wrong with the files right now. */
  faults(): readonly PositionedFault[]
  warnings(): readonly PositionedFault[]
  /** Runs after each change of resources. Returns the function that ends it. */
  onChange(listener: () => void): () => void
  /** All or nothing, durable when it resolves. Throws RefusedResources, or MeshError conflict, precondition_failed. */
  put(request: PutRequest): Promise<PutResult>
  /** Durable when it resolves. Throws MeshError not_found, precondition_failed, conflict. */
  remove(name: ResourceName, options?: { readonly ifMatch?: string }): Promise<{ readonly version: number }>
  /** Reads the files now. */
  reload(): Promise<void>
  /** A new version of the same resources, for who is told more than them. */
  touch(): Promise<void>
  close(): Promise<void>
}

/** Opens the store, completes what a crash has cut, and reads every file once. Files with faults do not stop it. */
export async function openStore(options: StoreOptions): Promise<ResourceStore> {
  const { log } = options
  const stateDir = resolve(options.stateDir)
  const ownFolder = join(stateDir, 'resources')
  await mkdir(ownFolder, { recursive: true, mode: 0o700 })
  // The own folder last: of a resource that stands in two places, the one that a person wrote holds.
  const roots = [...new Set(options.folders.map((folder) => resolve(folder))), ownFolder]
  await completeJournal(stateDir, log)
  for (const { path } of (await listFolders(roots)).directories) await clearTemporaries(path)
  const live = new LiveSet({
    roots,
    lastGood: await openLastGood(stateDir, log),
    nextVersion: (await openVersionCounter(stateDir)).next,
    log,
  })
  const store = createStore(live, { ...options, stateDir, ownFolder })
  await store.reload()
  return store
}

/** What a killed process has left half written; hidden, so nobody reads it, but nobody else takes it away either. */
async function clearTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter(isTemporary))
    await rm(join(folder, name), { force: true }).catch(() => undefined)
}

function createStore(live: LiveSet, options: StoreOptions & { readonly ownFolder: string }): ResourceStore {
  const { log, stateDir, ownFolder } = options
  const serial = createSerial()
  const load = (): Promise<void> => live.load(watch)
  const reload = (): Promise<void> => serial.run(load)
  const watch = createWatch({
    onChange: () =>
      void reload().catch((error: unknown) => log.error({ error }, 'reading the resources failed')),
    log,
    settleMs: options.settleMs ?? DEFAULT_SETTLE_MS,
    maxSettleMs: MAX_SETTLE_MS,
    rescanMs: options.rescanMs ?? DEFAULT_RESCAN_MS,
  })
  const context: ChangeContext = { live, load, stateDir, ownFolder }
  const show = ({ entry, file }: Stored): StoredResource => ({
    resource: entry.read.resource,
    etag: etagOf(entry),
    source: file.root === ownFolder ? 'api' : { file: file.path, line: entry.read.line },
  })

  return {
    version: () => live.version,
    resources: () => live.set.resources,
    stored: () => [...live.set.stored.values()].map(show),
    find: (name) => {
      const stored = live.set.stored.get(keyOf(name))
      return stored === undefined ? undefined : show(stored)
    },
    faults: () => live.set.faults,
    warnings: () => live.set.warnings,
    onChange: (listener) => live.onChange(listener),
    put: (request) => serial.run(() => put(context, request)),
    remove: (name, { ifMatch } = {}) => serial.run(() => remove(context, name, ifMatch)),
    reload,
    touch: () => serial.run(() => live.touch()),
    close: async () => {
      watch.close()
      await serial.run(async () => {})
    },
  }
}
