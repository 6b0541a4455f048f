import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { MeshError } from '@weft/schemas/error'

/**
 * The listener is for the local app alone, and whoever reaches it publishes under the app's identity. A web page that the
 * user's browser shows reaches loopback too: directly (then the browser sends Origin or Sec-Fetch-Site), or under a name of its
 * own that it lets resolve to 127.0.0.1 (DNS rebinding: then the Host header is that name). Neither gets in.
 * Throws MeshError `permission_denied` or `misdirected`.
 */
export function refuseBrowsers(request: IncomingMessage, listenHost: string): void {
  const { host, origin, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined || site !== undefined)
    throw new MeshError(
      'permission_denied',
      'the event API is for the local app, not for web pages: the request has an Origin or Sec-Fetch-Site header',
    )
  if (host !== undefined && !isLocal(host, listenHost))
    throw new MeshError(
      'misdirected',
      `expected a loopback name in the Host header, came ${JSON.stringify(host.slice(0, 100))}`,
    )
}

function isLocal(host: string, listenHost: string): boolean {
  const name = host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  if (name === 'localhost' || name === listenHost.toLowerCase()) return true
  return isIP(name) === 4 ? name.startsWith('127.') : name === '::1'
}
