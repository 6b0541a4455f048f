import { type FSWatcher, watch } from 'node:fs'

/** An editor writes a file in several steps, a compiler several files: one restart for all of them. */
const SETTLE_MS = 150
const IGNORED = /(?:^|[\\/])(?:node_modules|\.[^\\/]+)(?:[\\/]|$)|~$/

/** Calls `onChange` after files below the paths have changed and come to rest. Returns the function that ends it. */
export function watchPaths(paths: readonly string[], onChange: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const watchers: FSWatcher[] = paths.map((path) =>
    watch(path, { recursive: true }, (_event, name) => {
      if (name !== null && IGNORED.test(name)) return
      clearTimeout(timer)
      timer = setTimeout(onChange, SETTLE_MS)
    }).on('error', () => {
      // What is watched was removed; what comes in its place is seen at the next start.
    }),
  )
  return () => {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}
