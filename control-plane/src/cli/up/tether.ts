/**
 * Children that end when this process ends, however it ends.
 *
 *   weft up ──stdin pipe──> reaper (sh, a group of its own)      learns each process group: "+ -4711", "- -4711"
 *      └──fd 3 pipe──> gate (sh) ──exec──> the command           waits for one line before it becomes the command
 *
 * A SIGKILL closes the pipes, nothing else tells anybody. The reaper reads end of file and ends all groups that it
 * knows. A child is told to go only after the reaper has its group; killed between spawn and that line, the gate
 * reads end of file too and never becomes the command. So there is no moment at which a child can be left behind.
 * Groups are their own so that Ctrl-C at the terminal reaches `weft up` alone, which stops its parts in order.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** TERM first: Kafka then closes its log in order. What is left after five seconds is killed. */
const REAPER = `
trap '' INT TERM HUP
groups=
while read -r verb group; do
  if [ "$verb" = + ]; then groups="$group $groups"; continue; fi
  kept=
  for g in $groups; do [ "$g" = "$group" ] || kept="$kept $g"; done
  groups=$kept
done
for g in $groups; do kill -TERM "$g" 2>/dev/null; done
tries=0
while [ $tries -lt 50 ]; do
  alive=
  for g in $groups; do kill -0 "$g" 2>/dev/null && alive=1; done
  [ -z "$alive" ] && exit 0
  sleep 0.1
  tries=$((tries + 1))
done
for g in $groups; do kill -KILL "$g" 2>/dev/null; done
`

/** Becomes the command when it is told to; a command that cannot be run ends with 127 or 126, as in every shell. */
const GATE = 'read -r go <&3 && exec 3<&- && exec "$@"'

/** What a process started and left behind gets this long to end by itself after it. */
const LEFTOVER_GRACE_MS = 2_000
const LEFTOVER_POLL_MS = 20

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** `exit code 1`, `killed by SIGKILL`. */
export const formatExit = ({ code, signal }: Exit): string =>
  signal === null ? `exit code ${code}` : `killed by ${signal}`

/** A running command with everything that it starts. */
export interface Tethered {
  readonly pid: number
  readonly child: ChildProcess
  /** When the command and all of its process group are gone. Never rejects. */
  readonly gone: Promise<Exit>
  /** SIGTERM to the group, SIGKILL after the deadline. */
  stop(deadlineMs: number): Promise<Exit>
  /** A signal to the group. */
  kill(signal: NodeJS.Signals): void
}

interface TetheredOptions {
  readonly cwd?: string
  readonly env: NodeJS.ProcessEnv
  /** True: in the group of this process and on its terminal, which then sends it Ctrl-C too. False: see above. */
  readonly foreground?: boolean
}

export interface Tether {
  /** Starts a command in a process group of its own; stdout and stderr are pipes. Throws where no process can be made. */
  spawn(command: string, args: readonly string[], options: TetheredOptions): Tethered
  /** SIGKILL to all of them, now. */
  killAll(): void
  /** Ends the reaper; call it when every child is gone. */
  release(): Promise<void>
}

export function createTether(): Tether {
  const reaper = spawn('/bin/sh', ['-c', REAPER], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  const reaperGone = once(reaper, 'exit')
  reaper.stdin.on('error', ignoreBrokenPipe)
  const targets = new Set<number>()

  return {
    spawn(command, args, { foreground = false, ...options }) {
      const stream = foreground ? 'inherit' : 'pipe'
      const child = spawn('/bin/sh', ['-c', GATE, 'sh', command, ...args], {
        ...options,
        detached: !foreground,
        stdio: [foreground ? 'inherit' : 'ignore', stream, stream, 'pipe'],
      })
      child.on('error', ignoreBrokenPipe)
      const gate = child.stdio[3]
      if (child.pid === undefined || gate === null || gate === undefined || !('write' in gate))
        throw new Error(`no process could be started for ${command}`)
      gate.on('error', ignoreBrokenPipe)
      // A negative number is a group to kill(2).
      const target = foreground ? child.pid : -child.pid
      targets.add(target)
      reaper.stdin.write(`+ ${target}\n`, () => gate.end('go\n'))
      return tethered(child, target, () => {
        targets.delete(target)
        reaper.stdin.write(`- ${target}\n`)
      })
    },
    killAll() {
      for (const target of targets) signalTarget(target, 'SIGKILL')
    },
    async release() {
      reaper.stdin.end()
      await reaperGone
    },
  }
}

function tethered(child: ChildProcess, target: number, forget: () => void): Tethered {
  let terminated = false
  const ended = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const gone = ended.then(async (exit) => {
    if (target < 0) await endLeftovers(target, terminated)
    forget()
    return exit
  })
  return {
    pid: Math.abs(target),
    child,
    gone,
    async stop(deadlineMs) {
      terminated = true
      signalTarget(target, 'SIGTERM')
      const timer = setTimeout(() => signalTarget(target, 'SIGKILL'), deadlineMs)
      const exit = await gone
      clearTimeout(timer)
      return exit
    },
    kill(signal) {
      terminated ||= signal === 'SIGTERM' || signal === 'SIGKILL'
      signalTarget(target, signal)
    },
  }
}

/** A wrapper such as `sh -c` may end before the app that it started: that one may finish what it has begun. */
async function endLeftovers(group: number, terminated: boolean): Promise<void> {
  if (!terminated) signalTarget(group, 'SIGTERM')
  const end = Date.now() + LEFTOVER_GRACE_MS
  while (signalTarget(group, 0) && Date.now() < end) await delay(LEFTOVER_POLL_MS)
  signalTarget(group, 'SIGKILL')
}

/** Sends a signal to a process or a group; false where nobody is left of it. */
function signalTarget(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** The other end is gone: its exit is seen where it is awaited. */
function ignoreBrokenPipe(): void {}
