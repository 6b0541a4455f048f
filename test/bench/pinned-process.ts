/** A process of the bench: on its core, ready when its port is open, gone when it is disposed of. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { APP_CORE, onCore } from './cores.ts'

const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 8_000
const POLL_MS = 25
/** Of what a process wrote, for the message when it fails. */
const KEPT_OUTPUT = 4_000

export interface ProcessOptions {
  readonly core: number
  /** It serves when something listens here. */
  readonly port: number
  readonly env?: NodeJS.ProcessEnv
}

export interface PinnedProcess extends AsyncDisposable {
  readonly pid: number
}

/** Resolves when it listens. Rejects with what it wrote where it ends before, or takes too long. */
export async function startProcess(
  command: readonly string[],
  { core, port, env }: ProcessOptions,
): Promise<PinnedProcess> {
  const [file, ...words] = onCore(core, command)
  const child = spawn(file, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  endWithBench(child)
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-KEPT_OUTPUT)
    })
  await once(child, 'spawn')
  try {
    await untilListening(child, port)
  } catch (error) {
    await stop(child)
    throw new Error(`${command.join(' ')}\n${output}`, { cause: error })
  }
  return { pid: child.pid ?? 0, [Symbol.asyncDispose]: () => stop(child) }
}

/** A bench that is ended in the middle leaves nothing behind; see main.ts for signals. */
export function endWithBench(child: ChildProcess): void {
  const end = (): void => void child.kill('SIGKILL')
  process.once('exit', end)
  child.once('exit', () => process.removeListener('exit', end))
}

async function untilListening(child: ChildProcess, port: number): Promise<void> {
  const end = Date.now() + START_DEADLINE_MS
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}`)
    if (Date.now() > end) throw new Error(`nothing listens on ${port} after ${START_DEADLINE_MS} ms`)
    await delay(POLL_MS)
  }
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
  await gone
  clearTimeout(timer)
}

/** Runs a load generator beside the app; resolves with what it wrote to stdout, whatever its exit code. */
export function runLoad(command: readonly string[], seconds: number): Promise<string> {
  const [file, ...words] = onCore(APP_CORE, command)
  return new Promise((resolve, reject) => {
    const options = { timeout: (seconds + 60) * 1000, maxBuffer: 1 << 24 }
    const child = execFile(file, words, options, (error, stdout, stderr) => {
      if (error !== null && stdout === '')
        reject(new Error(`${command.join(' ')}: ${error.message}\n${stderr}`))
      else resolve(stdout)
    })
    endWithBench(child)
  })
}
