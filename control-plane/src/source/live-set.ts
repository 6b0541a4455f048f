/** The files as they were last read, the resources that are in force, and who wants to hear of changes. */
import type { Log } from '@weft/schemas/node/log'
import { createFaultLog } from './fault-log.ts'
import { type FileState, fileFault, readFileState, rememberedFileState } from './file-state.ts'
import { type Listing, listFolders } from './folders.ts'
import type { LastGood } from './last-good.ts'
import { EMPTY_SET, joinFiles, type ResourceSet, sameResources } from './resource-set.ts'
import type { Watch } from './watch.ts'

export interface LiveSetOptions {
  readonly roots: readonly string[]
  readonly lastGood: LastGood
  readonly nextVersion: () => Promise<number>
  readonly log: Log
}

export class LiveSet {
  readonly #options: LiveSetOptions
  readonly #logFaults: ReturnType<typeof createFaultLog>
  readonly #listeners = new Set<() => void>()
  #files: ReadonlyMap<string, FileState> = new Map()
  #set: ResourceSet = EMPTY_SET
  /** 0 before the first load. */
  #version = 0
  #unreadable = 0

  constructor(options: LiveSetOptions) {
    this.#options = options
    this.#logFaults = createFaultLog(options.log)
  }

  /** By path. */
  get files(): ReadonlyMap<string, FileState> {
    return this.#files
  }

  get set(): ResourceSet {
    return this.#set
  }

  get version(): number {
    return this.#version
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Reads what has changed and puts it in force. One at a time: the caller sees to that. */
  async load(watch: Pick<Watch, 'follow'>): Promise<void> {
    const listing = await listFolders(this.#options.roots)
    // Watched before it is read: what changes from here on is an event, so nothing falls between.
    watch.follow(listing.directories)
    const files = await this.#readFiles(listing)
    const { unreadable } = listing
    if (this.#version > 0 && sameFiles(this.#files, files) && unreadable.length === this.#unreadable) return

    const faults = unreadable.map(({ path, reason }) => fileFault(path, 'a readable file or folder', reason))
    const set = joinFiles(files.values(), faults)
    const isChanged = this.#version === 0 || !sameResources(this.#set, set)
    const version = isChanged ? await this.#options.nextVersion() : this.#version

    this.#files = files
    this.#set = set
    this.#version = version
    this.#unreadable = unreadable.length
    this.#logFaults(set.faults, set.warnings)
    if (isChanged) this.#notify()
  }

  /** The same resources under a new version: something else has changed that sidecars are told with them. */
  async touch(): Promise<void> {
    this.#version = await this.#options.nextVersion()
    this.#notify()
  }

  async #readFiles(listing: Listing): Promise<ReadonlyMap<string, FileState>> {
    const { lastGood } = this.#options
    const files = new Map<string, FileState>()
    for (const found of listing.files)
      files.set(found.path, await readFileState(found, this.#files.get(found.path), lastGood))
    // A folder or file that cannot be read now is not one that was deleted: what it held stays in force, after a restart too.
    for (const { path, root } of listing.unreadable)
      for (const known of lastGood.paths())
        if (isWithin(known, path) && !files.has(known))
          files.set(known, this.#files.get(known) ?? rememberedFileState(known, root, lastGood))
    await lastGood.retain(new Set(files.keys()))
    return files
  }

  /** One listener's fault must not keep the next from hearing. */
  #notify(): void {
    for (const listener of this.#listeners) {
      try {
        listener()
      } catch (error) {
        this.#options.log.error({ error }, 'a listener to changes of resources failed')
      }
    }
  }
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

function sameFiles(a: ReadonlyMap<string, FileState>, b: ReadonlyMap<string, FileState>): boolean {
  return a.size === b.size && [...b].every(([path, state]) => a.get(path) === state)
}
