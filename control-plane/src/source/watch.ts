import { type FSWatcher, watch } from 'node:fs'
import type { Log } from '@weft/schemas/node/log'
import type { Directory } from './folders.ts'

export interface WatchOptions {
  readonly onChange: () => void
  readonly log: Log
  /** Quiet time after a change before it is read: an editor's save is several events, and a file half written is a fault for nothing. */
  readonly settleMs: number
  /** A file that never rests is read all the same. */
  readonly maxSettleMs: number
  /** For what the kernel does not say: network file systems, targets of symlinks, exhausted watches. */
  readonly rescanMs: number
}

export interface Watch {
  /** Watches exactly these directories from now on. */
  follow(directories: readonly Directory[]): void
  close(): void
}

/**
 * One watcher per directory, not node's recursive one: that puts a watch on every file, and loses directories that
 * are swapped by symlink, which is how Kubernetes updates a ConfigMap.
 */
export function createWatch(options: WatchOptions): Watch {
  const watchers = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>()
  let settling: NodeJS.Timeout | undefined
  let firstChangeAt: number | undefined
  let warned = false
  const rescan = setInterval(options.onChange, options.rescanMs)
  rescan.unref()

  function changed(): void {
    firstChangeAt ??= performance.now()
    const waited = performance.now() - firstChangeAt
    clearTimeout(settling)
    settling = setTimeout(
      () => {
        firstChangeAt = undefined
        options.onChange()
      },
      Math.max(0, Math.min(options.settleMs, options.maxSettleMs - waited)),
    )
    settling.unref()
  }

  function open({ path: directory, identity }: Directory): void {
    try {
      const watcher = watch(directory, { persistent: false }, changed)
      watcher.on('error', () => watcher.close())
      watchers.set(directory, { identity, watcher })
    } catch (error) {
      if (!warned)
        options.log.warn(
          { directory, error, rescanMs: options.rescanMs },
          'cannot watch a folder: it is read again and again instead',
        )
      warned = true
    }
  }

  function forget(directory: string): void {
    watchers.get(directory)?.watcher.close()
    watchers.delete(directory)
  }

  return {
    follow: (directories) => {
      const wanted = new Map(directories.map((directory) => [directory.path, directory]))
      for (const [path, { identity }] of watchers) if (wanted.get(path)?.identity !== identity) forget(path)
      for (const directory of directories) if (!watchers.has(directory.path)) open(directory)
    },
    close: () => {
      clearInterval(rescan)
      clearTimeout(settling)
      for (const directory of [...watchers.keys()]) forget(directory)
    },
  }
}
