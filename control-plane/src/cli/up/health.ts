import { once } from 'node:events'
import { connect } from 'node:net'

const CHECK_TIMEOUT_MS = 2_000

/** Does the app answer 2xx on this path? */
export async function answersOk(port: number, path: string): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      redirect: 'manual',
    })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** The JSON that a port of our own answers; undefined while it answers nothing, or something else. */
export async function getJson<T>(url: string): Promise<T | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) })
    return response.ok ? ((await response.json()) as T) : undefined
  } catch {
    return undefined
  }
}

/** Does anybody accept connections on this loopback port? */
export async function portIsOpen(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
