import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CliError } from '../errors.ts'
import type { Ground } from './ground.ts'
import { LogFile } from './log-file.ts'
import { type Exit, formatExit, type Tethered } from './tether.ts'

interface Command {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env: NodeJS.ProcessEnv
}

/** One process of the mesh, which may be started again. Its log goes on in the same file. */
export class Part {
  readonly name: string
  readonly log: LogFile
  readonly #ground: Ground
  /** Told of every end that nobody asked for. */
  readonly #onCrash: (exit: Exit) => void
  #running: Tethered | undefined
  #lastExit: Exit | undefined
  #expectsEnd = false
  #isReady = false

  constructor(ground: Ground, name: string, onCrash?: (exit: Exit) => void) {
    this.name = name
    this.#ground = ground
    const file = join(ground.state.logs, `${name.replaceAll(' ', '-')}.log`)
    this.log = new LogFile(file, (line) => ground.onLog(name, line))
    this.#onCrash = onCrash ?? ((exit) => ground.crash(this.crashError(exit)))
  }

  get pid(): number | undefined {
    return this.#running?.pid
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** Starts the command. Its end is a crash unless `stop` or `kill` asked for it, or `until` finds it first. */
  start({ command, args, cwd, env }: Command): Tethered {
    // What starts while the mesh ends would outlive it.
    this.#ground.signal.throwIfAborted()
    const process = this.#ground.tether.spawn(command, args, { env, ...(cwd !== undefined && { cwd }) })
    if (process.child.stdout !== null) this.log.take(process.child.stdout)
    if (process.child.stderr !== null) this.log.take(process.child.stderr)
    return this.adopt(process)
  }

  /** Takes over a process that was started elsewhere, whose lines come by `log.line`. */
  adopt(process: Tethered): Tethered {
    this.#running = process
    this.#expectsEnd = false
    void process.gone.then((exit) => {
      this.#running = undefined
      this.#lastExit = exit
      if (!this.#expectsEnd && this.#isReady) this.#onCrash(exit)
      this.#isReady = false
    })
    return process
  }

  /** From here on an end by itself is a crash; before, it is for `until` to tell. */
  markReady(): void {
    this.#isReady = true
  }

  /** Resolves when the process is gone; at once where there is none. */
  async stop(deadlineMs: number): Promise<void> {
    this.#expectsEnd = true
    await this.#running?.stop(deadlineMs)
  }

  /** Sends a signal that may end the process, which then is no crash. Resolves when it is gone, if the signal is a deadly one. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    const isDeadly = signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT'
    this.#expectsEnd ||= isDeadly
    running.kill(signal)
    if (isDeadly) await running.gone
  }

  /** Asks again and again until `check` gives a value. Throws when the process ends first, the time is over, or the mesh stops. */
  async until<T>(what: string, deadlineMs: number, check: () => Promise<T | undefined>): Promise<T> {
    const end = Date.now() + deadlineMs
    while (true) {
      this.#ground.signal.throwIfAborted()
      if (!this.isRunning) throw this.crashError(this.#lastExit ?? { code: null, signal: null })
      const value = await check()
      if (value !== undefined) return value
      if (Date.now() > end)
        throw new CliError(`${this.name} is not ready after ${deadlineMs / 1000} s: ${what}`, {
          quote: this.log.tail,
          hint: `Its log: ${this.log.path}`,
        })
      await delay(POLL_MS)
    }
  }

  crashError(exit: Exit): CliError {
    const missing =
      exit.code === 126 || exit.code === 127 ? ' (is the command there, and may it be run?)' : ''
    return new CliError(`${this.name} ended by itself: ${formatExit(exit)}${missing}`, {
      quote: this.log.tail,
      hint: `Its log: ${this.log.path}`,
    })
  }
}

/** Short against a process start, long against what one check costs. */
const POLL_MS = 25
