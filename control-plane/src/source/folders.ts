import type { BigIntStats } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { isCode } from './atomic-file.ts'

/** A file that may hold resources. */
export interface FoundFile {
  /** As it is reached from its folder: what faults name. */
  readonly path: string
  /** Where it really is: what an edit replaces, so that a symlink stays one. */
  readonly realPath: string
  /** The folder of the configuration that it was found under. */
  readonly root: string
  readonly stats: BigIntStats
}

export interface Directory {
  readonly path: string
  /** Another directory of the same name, made anew or swapped by symlink, has another; inodes alone are used again. */
  readonly identity: string
}

export interface Listing {
  /** In the order of the folders, then by path: which of two equal resources is the earlier one never depends on the disk. */
  readonly files: readonly FoundFile[]
  /** Every directory that was read: what is watched. */
  readonly directories: readonly Directory[]
  /** What could not be read, with the reason. */
  readonly unreadable: readonly { readonly root: string; readonly path: string; readonly reason: string }[]
}

const EXTENSIONS: ReadonlySet<string> = new Set(['.yaml', '.yml', '.json'])
/** A tree deeper than this is not a folder of resources but a loop of mounts. */
const MAX_DEPTH = 16
/** Bounds time and memory if somebody names `/`. */
const MAX_FILES = 20_000

/**
 * Finds the resource files of all roots. Hidden names are skipped (editors, git, the `..data` of a Kubernetes
 * ConfigMap); symlinks are followed; what is reached on two ways counts once.
 */
export async function listFolders(roots: readonly string[]): Promise<Listing> {
  const walk: Walk = { files: [], directories: [], unreadable: [], seen: new Set() }
  for (const root of roots) await walkDirectory(walk, root, root, 0)
  return walk
}

interface Walk {
  readonly files: FoundFile[]
  readonly directories: Directory[]
  readonly unreadable: { root: string; path: string; reason: string }[]
  /** Real paths, of directories and files. */
  readonly seen: Set<string>
}

async function walkDirectory(walk: Walk, root: string, path: string, depth: number): Promise<void> {
  try {
    const real = await realpath(path)
    if (walk.seen.has(real)) return
    walk.seen.add(real)
    if (depth > MAX_DEPTH) throw new Error(`more than ${MAX_DEPTH} levels of folders`)
    // Before the names: a directory that is swapped in between is then watched as the old one, and read anew next time.
    const { dev, ino, birthtimeNs } = await stat(path, { bigint: true })
    walk.directories.push({ path, identity: `${dev} ${ino} ${birthtimeNs}` })
    const found = (await readdir(path, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'))
    for (const entry of found.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const at = join(path, entry.name)
      // Only a link can be elsewhere: asking for every file would double the cost of a scan.
      const realPath = entry.isSymbolicLink() ? undefined : join(real, entry.name)
      await walkEntry(walk, { root, path: at, realPath, depth })
    }
  } catch (error) {
    // Deleted between the listing above it and now: it is not there. A root that is missing is another matter.
    if (path !== root && isCode(error, 'ENOENT')) return
    walk.unreadable.push({ root, path, reason: error instanceof Error ? error.message : String(error) })
  }
}

interface WalkEntry {
  readonly root: string
  readonly path: string
  readonly realPath: string | undefined
  readonly depth: number
}

async function walkEntry(walk: Walk, { root, path, depth, ...entry }: WalkEntry): Promise<void> {
  const isResourceFile = EXTENSIONS.has(extname(path).toLowerCase())
  try {
    const stats = await stat(path, { bigint: true })
    if (stats.isDirectory()) return await walkDirectory(walk, root, path, depth + 1)
    if (!isResourceFile) return
    const realPath = entry.realPath ?? (await realpath(path))
    if (walk.seen.has(realPath)) return
    if (walk.files.length >= MAX_FILES) throw new Error(`more than ${MAX_FILES} files`)
    walk.seen.add(realPath)
    walk.files.push({ path, realPath, root, stats })
  } catch (error) {
    // A file that went away between the listing and now is not there; a link that leads nowhere is worth a word.
    if (!isResourceFile || (entry.realPath !== undefined && isCode(error, 'ENOENT'))) return
    walk.unreadable.push({ root, path, reason: error instanceof Error ? error.message : String(error) })
  }
}
