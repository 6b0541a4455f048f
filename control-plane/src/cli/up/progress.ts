import type { Screen, Style } from '../io.ts'
import type { Progress } from './ground.ts'

const STYLES: Readonly<Record<Progress['state'], Style>> = {
  starting: 'gray',
  ready: 'green',
  stopping: 'gray',
  stopped: 'gray',
  failed: 'red',
  note: 'yellow',
}

const NAME_WIDTH = 28

/** One line per part of the mesh: at a terminal it changes in its place, elsewhere each change is a line. */
export class ProgressLines {
  readonly #screen: Screen
  /** Parts whose lines stand at the bottom of the terminal, in order; anything else that is written goes above them. */
  readonly #lines = new Map<string, Progress>()
  #drawn = 0

  constructor(screen: Screen) {
    this.#screen = screen
  }

  show(progress: Progress): void {
    if (!this.#screen.isTty) {
      if (progress.state !== 'stopping') this.#screen.write(`${this.#format(progress)}\n`)
      return
    }
    this.#clear()
    if (progress.state === 'note') this.#screen.write(`${this.#format(progress)}\n`)
    else this.#lines.set(progress.part, progress)
    this.#draw()
  }

  /** Writes a line above the moving ones. */
  write(line: string): void {
    this.#clear()
    this.#screen.write(`${line}\n`)
    this.#draw()
  }

  /** What stands there stays; what comes next begins below it. */
  settle(): void {
    this.#lines.clear()
    this.#drawn = 0
  }

  #clear(): void {
    if (this.#drawn > 0) this.#screen.write(`\u001b[${this.#drawn}A\u001b[0J`)
    this.#drawn = 0
  }

  #draw(): void {
    for (const progress of this.#lines.values()) this.#screen.write(`${this.#cut(this.#format(progress))}\n`)
    this.#drawn = this.#screen.isTty ? this.#lines.size : 0
  }

  #format({ part, state, ms, detail }: Progress): string {
    const took = ms === undefined ? '' : ` ${(ms / 1000).toFixed(1)}s`
    const word = state === 'note' ? '' : this.#screen.paint(STYLES[state], `${state}${took}`)
    const text = detail === undefined ? '' : this.#screen.paint(STYLES[state], detail)
    return `${part.padEnd(NAME_WIDTH)} ${[word, text].filter((piece) => piece !== '').join('  ')}`
  }

  /** A wrapped line would be two, and moving up would leave its first half behind. Colours are only at the end of a line. */
  #cut(line: string): string {
    return line.length > this.#screen.columns + 10 ? line.slice(0, this.#screen.columns) : line
  }
}
