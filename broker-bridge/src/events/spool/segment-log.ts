/**
 * An append-only log in a folder: entries that carry their own length and checksum, in segments of a few mebibytes.
 *
 *     0000000001.log  0000000002.log …     position
 *
 * What has been appended is on the disk when `append` resolves (fdatasync, one for all that came meanwhile). `position` says up to
 * where it was taken; it is written without waiting for the disk, so after a crash some entries are taken again, none is passed.
 * A crash in the middle of a write leaves an entry that is cut off at the end of the last segment: it was never promised, and goes.
 */
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MeshError } from '@weft/schemas/error'

export interface LogOptions {
  readonly folder: string
  /** Where a whole entry ends that starts at `at`; -1 where it is cut off or damaged. */
  readonly entryEnd: (buffer: Buffer, at: number) => number
  /** Bytes that would never be read: how many, of which file. */
  readonly onDamage: (file: string, bytes: number) => void
}

export interface Taken {
  readonly entries: readonly Buffer[]
  /** For `commit`, when all of them are done. */
  readonly next: Position
}

export interface Position {
  readonly segment: number
  readonly offset: number
}

interface Append {
  readonly entry: Buffer
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

const SEGMENT_BYTES = 8 * 1024 * 1024
const NAME_DIGITS = 10
const SEGMENT = /^(\d{10})\.log$/
const POSITION_FILE = 'position'

export class SegmentLog {
  readonly #options: LogOptions
  readonly #queue: Append[] = []
  #writing: Promise<void> | undefined
  #file: FileHandle | undefined
  #head: Position = { segment: 0, offset: 0 }
  #tail: Position = { segment: 1, offset: 0 }
  /** Bytes from head to tail, and those that are being appended. */
  #bytes = 0

  private constructor(options: LogOptions) {
    this.#options = options
  }

  /** Opens or creates; throws where the folder cannot be used. */
  static async open(options: LogOptions): Promise<SegmentLog> {
    const log = new SegmentLog(options)
    await mkdir(options.folder, { recursive: true })
    await log.#recover()
    return log
  }

  /** Bytes that wait, those included that are on their way to the disk. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when the entry is on the disk; entries keep the order of the calls. */
  append(entry: Buffer): Promise<void> {
    this.#bytes += entry.length
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject })
      this.#writing ??= this.#write()
    })
  }

  /** The oldest entries that are on the disk, up to so many bytes; none where all have been taken. */
  async take(maxBytes: number): Promise<Taken> {
    for (;;) {
      const { segment, offset } = this.#head
      const end = segment === this.#tail.segment ? this.#tail.offset : Number.POSITIVE_INFINITY
      const buffer = await this.#read(segment, offset, Math.min(end - offset, maxBytes))
      const entries: Buffer[] = []
      let at = 0
      for (let to = this.#entryEnd(buffer, 0); to !== -1; to = this.#entryEnd(buffer, at)) {
        entries.push(buffer.subarray(at, to))
        at = to
      }
      if (entries.length > 0) return { entries, next: { segment, offset: offset + at } }
      if (segment >= this.#tail.segment) return { entries, next: this.#head }
      if (buffer.length > 0) this.#options.onDamage(this.#path(segment), buffer.length)
      this.#bytes = Math.max(0, this.#bytes - buffer.length)
      await this.commit({ segment: segment + 1, offset: 0 })
    }
  }

  /** Everything before this place is done. Segments that are done are removed. */
  async commit(next: Position): Promise<void> {
    const { segment, offset } = this.#head
    if (next.segment === segment) this.#bytes -= next.offset - offset
    this.#head = next
    const temporary = join(this.#options.folder, `${POSITION_FILE}.new`)
    await writeFile(temporary, JSON.stringify(next))
    await rename(temporary, join(this.#options.folder, POSITION_FILE))
    for (let done = segment; done < next.segment; done++) await rm(this.#path(done), { force: true })
  }

  /** What has been appended gets to the disk first. */
  async close(): Promise<void> {
    await this.#writing
    await this.#file?.close()
    this.#file = undefined
  }

  #path(segment: number): string {
    return join(this.#options.folder, `${String(segment).padStart(NAME_DIGITS, '0')}.log`)
  }

  #entryEnd(buffer: Buffer, at: number): number {
    return at >= buffer.length ? -1 : this.#options.entryEnd(buffer, at)
  }

  async #write(): Promise<void> {
    while (this.#queue.length > 0) {
      const appends = this.#queue.splice(0)
      try {
        const file = await this.#currentFile()
        const bytes = Buffer.concat(appends.map(({ entry }) => entry))
        await file.write(bytes, 0, bytes.length, this.#tail.offset)
        await file.datasync()
        this.#tail = { segment: this.#tail.segment, offset: this.#tail.offset + bytes.length }
        for (const { resolve } of appends) resolve()
      } catch (error) {
        for (const { entry, reject } of appends) {
          this.#bytes -= entry.length
          reject(new MeshError('internal', 'the spool cannot be written', { cause: error }))
        }
      }
    }
    this.#writing = undefined
  }

  async #currentFile(): Promise<FileHandle> {
    if (this.#file !== undefined && this.#tail.offset >= SEGMENT_BYTES) {
      await this.#file.close()
      this.#file = undefined
      this.#tail = { segment: this.#tail.segment + 1, offset: 0 }
    }
    if (this.#file === undefined) {
      const path = this.#path(this.#tail.segment)
      this.#file = await open(path, this.#tail.offset === 0 ? 'w' : 'r+')
      // A new name is on the disk when its folder is.
      const folder = await open(this.#options.folder, 'r')
      await folder.sync()
      await folder.close()
    }
    return this.#file
  }

  /** At most `length` bytes; one entry whole, however large. */
  async #read(segment: number, offset: number, length: number): Promise<Buffer> {
    const whole = await readFile(this.#path(segment)).catch(() => Buffer.alloc(0))
    const known = segment === this.#tail.segment ? whole.subarray(0, this.#tail.offset) : whole
    const first = this.#entryEnd(known, offset)
    return known.subarray(offset, first === -1 ? known.length : Math.max(first, offset + length))
  }

  async #recover(): Promise<void> {
    const names = await readdir(this.#options.folder)
    const segments = names.flatMap((name) => SEGMENT.exec(name)?.[1] ?? []).map(Number)
    this.#head = await this.#storedPosition(segments.length === 0 ? 1 : Math.min(...segments))
    const last = Math.max(...segments, this.#head.segment)
    for (const segment of segments) {
      if (segment < this.#head.segment) await rm(this.#path(segment), { force: true })
      else this.#bytes += await this.#recoverSegment(segment, segment === last)
    }
    if (!segments.includes(last)) this.#tail = { segment: last, offset: 0 }
    if (this.#head.segment === last && this.#head.offset > this.#tail.offset) this.#head = this.#tail
    this.#bytes = Math.max(0, this.#bytes - this.#head.offset)
  }

  async #recoverSegment(segment: number, isLast: boolean): Promise<number> {
    const buffer = await readFile(this.#path(segment))
    let end = 0
    for (let next = this.#entryEnd(buffer, 0); next !== -1; next = this.#entryEnd(buffer, end)) end = next
    if (isLast) this.#tail = { segment, offset: end }
    if (end < buffer.length) this.#options.onDamage(this.#path(segment), buffer.length - end)
    return end
  }

  async #storedPosition(first: number): Promise<Position> {
    try {
      const text = await readFile(join(this.#options.folder, POSITION_FILE), 'utf8')
      const { segment, offset } = JSON.parse(text) as Partial<Position>
      if (Number.isSafeInteger(segment) && Number.isSafeInteger(offset))
        return { segment: Number(segment), offset: Number(offset) }
    } catch {
      // None yet, or half of one: then everything that is there is taken again.
    }
    return { segment: first, offset: 0 }
  }
}
