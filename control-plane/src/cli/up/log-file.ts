import { createWriteStream, renameSync, type WriteStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'

/** What is shown of a process that ended by itself. */
const TAIL_LINES = 20
/** A log grows to this size, then becomes `<name>.log.1` in place of the one before: at most twice this on disk. */
const MAX_LOG_BYTES = 16 * 1024 * 1024
/** A line without an end is cut here, so that a binary stream costs no memory. */
const MAX_LINE_CHARACTERS = 64 * 1024

/** The log of one process: a file, its last lines in memory, and whoever else listens. */
export class LogFile {
  readonly path: string
  readonly #onLine: ((line: string) => void) | undefined
  readonly #tail: string[] = []
  #file: WriteStream
  #bytes = 0

  constructor(path: string, onLine?: (line: string) => void) {
    this.path = path
    this.#onLine = onLine
    this.#file = open(path)
  }

  get tail(): readonly string[] {
    return this.#tail
  }

  /** Takes all lines of a stream. */
  take(stream: Readable): void {
    let rest = ''
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.line(line)
      if (rest.length <= MAX_LINE_CHARACTERS) return
      this.line(rest)
      rest = ''
    })
    stream.once('close', () => {
      if (rest !== '') this.line(rest)
      rest = ''
    })
  }

  line(line: string): void {
    this.#tail.push(line)
    if (this.#tail.length > TAIL_LINES) this.#tail.shift()
    this.#bytes += Buffer.byteLength(line) + 1
    if (this.#bytes > MAX_LOG_BYTES) this.#rotate()
    this.#file.write(`${line}\n`)
    this.#onLine?.(line)
  }

  async close(): Promise<void> {
    this.#file.end()
    await finished(this.#file).catch(() => {})
  }

  #rotate(): void {
    this.#file.end()
    renameSync(this.path, `${this.path}.1`)
    this.#file = open(this.path)
    this.#bytes = 0
  }
}

/** A full disk must not stop the mesh: the lines are lost, the tail in memory stays. */
const open = (path: string): WriteStream => createWriteStream(path, { mode: 0o600 }).on('error', () => {})
