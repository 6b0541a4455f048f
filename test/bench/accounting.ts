/** CPU and memory as the kernel counts them (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs'

/** USER_HZ: fixed by the ABI of Linux, whatever the kernel ticks at. */
const TICKS_PER_SECOND = 100
/** Above this share of a core, used by programs that are not ours, a measurement is repeated. */
const MAX_FOREIGN_PERCENT = 8
const TRIES = 3

export interface Cost {
  /** CPU time of the contestant per completed request, user and system, all of its processes. */
  readonly cpuMicros: number
  readonly rssMiB: number
  /** What other programs of this machine used, in percent of one core. */
  readonly foreignPercent: number
}

/** Runs a load with CPU accounting; again where others disturbed it, and the quietest of the runs counts. */
export async function measured<T extends { readonly requests: number }>(
  pids: readonly number[],
  run: () => Promise<T>,
): Promise<T & Cost> {
  let best: (T & Cost) | undefined
  for (let tries = 0; tries < TRIES; tries++) {
    const before = { cpu: cpuSeconds(pids), own: ownCpuSeconds(), all: busySeconds(), at: performance.now() }
    const result = await run()
    const seconds = (performance.now() - before.at) / 1000
    const foreign = busySeconds() - before.all - (ownCpuSeconds() - before.own)
    const now: T & Cost = {
      ...result,
      cpuMicros: ((cpuSeconds(pids) - before.cpu) * 1e6) / Math.max(1, result.requests),
      rssMiB: rssMiB(pids),
      foreignPercent: Math.max(0, (100 * foreign) / seconds),
    }
    if (best === undefined || now.foreignPercent < best.foreignPercent) best = now
    if (best.foreignPercent <= MAX_FOREIGN_PERCENT) break
  }
  if (best === undefined) throw new Error('nothing was measured')
  return best
}

function cpuSeconds(pids: readonly number[]): number {
  return sum(pids.map((pid) => readStat(pid)?.ownSeconds ?? 0))
}

export function rssMiB(pids: readonly number[]): number {
  const kibOf = (pid: number): number =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  return sum(pids.map(kibOf)) / 1024
}

/** Of this process and all that it started, those that have ended among them. */
function ownCpuSeconds(): number {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readStat(Number(name)))
    .filter((stat) => stat !== undefined)
  const ours = new Set([process.pid])
  // A child's number may be smaller than its parent's: as often as it takes.
  for (let before = 0; before < ours.size; ) {
    before = ours.size
    for (const { pid, parent } of stats) if (ours.has(parent)) ours.add(pid)
  }
  return sum(stats.filter(({ pid }) => ours.has(pid)).map((stat) => stat.ownSeconds + stat.childSeconds))
}

/** Of the whole machine: everything but idle, waiting and stolen. */
function busySeconds(): number {
  const [, user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
  )
    .split(/\s+/)
    .map(Number)
  return (user + nice + system + irq + softirq) / TICKS_PER_SECOND
}

interface Stat {
  readonly pid: number
  readonly parent: number
  readonly ownSeconds: number
  /** Of children that ended and were waited for. */
  readonly childSeconds: number
}

/** Undefined where the process is gone. */
function readStat(pid: number): Stat | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return undefined
  }
  // The command name may hold anything, blanks and brackets too: fields are counted from behind its last bracket.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [, parent = 0] = fields
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15)
  return {
    pid,
    parent,
    ownSeconds: (utime + stime) / TICKS_PER_SECOND,
    childSeconds: (cutime + cstime) / TICKS_PER_SECOND,
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
