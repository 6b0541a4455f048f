import { isIP } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { HttpRequest } from '../../http-service.ts'
import { field } from './fields.ts'

/**
 * The listener is for the local app alone, and whoever reaches it publishes under the app's identity. A web page that the
 * user's browser shows reaches loopback too: directly (then the browser sends Origin or Sec-Fetch-Site), or under a name of its
 * own that it lets resolve to 127.0.0.1 (DNS rebinding: then the Host header is that name). Neither gets in.
 * Throws MeshError `permission_denied` or `misdirected`.
 */
export function refuseBrowsers({ authority, fields }: HttpRequest, listenHost: string): void {
  if (field(fields, 'origin') !== undefined || field(fields, 'sec-fetch-site') !== undefined)
    throw new MeshError(
      'permission_denied',
      'the event API is for the local app, not for web pages: the request has an Origin or Sec-Fetch-Site header',
    )
  if (authority !== '' && !isLocal(authority, listenHost))
    throw new MeshError(
      'misdirected',
      `expected a loopback name in the Host header, came ${JSON.stringify(authority.slice(0, 100))}`,
    )
}

/** Most requests of an app name the same host: the last one that was found to be local. */
let checkedAuthority = ''

function isLocal(authority: string, listenHost: string): boolean {
  if (authority === checkedAuthority) return true
  const name = authority
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase()
  if (name === listenHost.toLowerCase()) return true
  const isLoopback = name === 'localhost' || (isIP(name) === 4 ? name.startsWith('127.') : name === '::1')
  if (isLoopback) checkedAuthority = authority
  return isLoopback
}
