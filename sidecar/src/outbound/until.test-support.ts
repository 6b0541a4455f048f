/** For what no event tells of: asks again in every turn. */
const DEADLINE_MS = 30_000

/** Resolves when it is so; fails when it takes too long. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + DEADLINE_MS
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`expected within ${DEADLINE_MS} ms: ${isSo.toString()}`)
    await new Promise(setImmediate)
  }
}
