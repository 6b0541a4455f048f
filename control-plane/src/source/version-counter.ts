import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode, replaceFile } from './atomic-file.ts'

/** One durable write for so many versions; a restart skips the rest of its block, which costs nothing. */
const BLOCK = 1000

/** Versions that only grow, over restarts and kill -9 too: a number once given is never given again. */
export interface VersionCounter {
  next(): Promise<number>
}

/** Opens `<stateDir>/version`, which holds the first number that was never reserved. Throws where it holds something else. */
export async function openVersionCounter(stateDir: string): Promise<VersionCounter> {
  const path = join(stateDir, 'version')
  let next = await read(path)
  let reservedTo = next
  return {
    next: async () => {
      if (next >= reservedTo) {
        await replaceFile(path, `${next + BLOCK}\n`)
        reservedTo = next + BLOCK
      }
      return next++
    },
  }
}

async function read(path: string): Promise<number> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return 1
    throw error
  }
  const value = /^\d{1,15}\n?$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(value) || value < 1)
    throw new Error(
      `${path}: expected a number, came ${JSON.stringify(text.slice(0, 40))}; write a number above every version seen so far`,
    )
  return value
}
