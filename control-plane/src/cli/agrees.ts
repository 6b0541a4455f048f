import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { usageError } from './errors.ts'
import type { Io } from './io.ts'
import { say } from './words.ts'

/** Asks whoever is at the terminal, after these lines. `isTyped` false: standard input holds something else. Throws where nobody can be asked. */
export async function agrees(
  io: Io,
  lines: readonly string[],
  question: string,
  isTyped = true,
): Promise<boolean> {
  if (io.stdin.isTTY !== true || !isTyped)
    throw usageError('nobody is here to ask', 'Say --yes to go on without a question.')
  for (const line of lines) say(io, {}, line)
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      io.err.write(String(chunk))
      done()
    },
  })
  const words = createInterface({ input: io.stdin, output })
  const answer = await words.question(`${question} [y/N] `)
  words.close()
  return /^y(es)?$/i.test(answer.trim())
}
