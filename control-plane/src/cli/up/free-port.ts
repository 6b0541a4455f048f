import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

// Below what Linux (32768…) and macOS (49152…) hand out for outgoing connections: a port that is chosen now and bound
// seconds later is not taken by a connection in between.
const LOWEST = 20_000
const HIGHEST = 32_000
const TRIES = 200

/** A free loopback port, the preferred one if it is. No other mesh of this user gets it while this process lives. */
export async function choosePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await take(preferred))) return preferred
  for (let tries = 0; tries < TRIES; tries++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    if (await take(port)) return port
  }
  throw new Error(`no free port was found between ${LOWEST} and ${HIGHEST} in ${TRIES} tries`)
}

async function take(port: number): Promise<boolean> {
  return claim(port) && (await isFree(port))
}

/**
 * Two meshes that start at the same moment: A finds 15014 free, B finds 15014 free, A's control plane binds it a second
 * later, B's cannot. So a port is claimed by a file with the process id before it is looked at.
 */
const CLAIMS = join(tmpdir(), `weft-ports-${userInfo().uid}`)
const claimed = new Set<number>()

function claim(port: number): boolean {
  if (claimed.has(port)) return false
  const file = join(CLAIMS, String(port))
  if (claimed.size === 0) {
    mkdirSync(CLAIMS, { recursive: true, mode: 0o700 })
    process.once('exit', () => {
      for (const own of claimed) rmSync(join(CLAIMS, String(own)), { force: true })
    })
  }
  if (!create(file)) {
    if (isAlive(Number(readIfThere(file)))) return false
    // Of a process that was killed.
    rmSync(file, { force: true })
    if (!create(file)) return false
  }
  claimed.add(port)
  return true
}

function create(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** True while a process of this id exists, whoever's it is. */
export function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
