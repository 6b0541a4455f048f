/** URLRewrite: another host, another path. The request that goes on is another one; notes and fields stay the same. */
import { MeshError } from '@weft/schemas/error'
import { normalisePath } from '@weft/schemas/policy'
import type { PathRewrite, Rewrite } from '@weft/schemas/snapshot-routes'
import type { Service } from '../../transport/exchange.ts'

export function rewrite(inner: Service, settings: Rewrite | undefined): Service {
  if (settings === undefined) return inner
  const { hostname, path } = settings
  return {
    call: (head, response) =>
      inner.call(
        {
          ...head,
          authority: hostname ?? head.authority,
          target: path === undefined ? head.target : rewriteTarget(head.target, path),
        },
        response,
      ),
  }
}

/** Path and query with the path replaced. Throws `invalid_request` for a path that two servers could read differently. */
export function rewriteTarget(target: string, settings: PathRewrite): string {
  const end = target.indexOf('?')
  const query = end === -1 ? '' : target.slice(end)
  if (settings.type === 'full') return `${settings.path}${query}`
  const path = normalisePath(end === -1 ? target : target.slice(0, end))
  if (path === undefined)
    throw new MeshError('invalid_request', 'expected a path with one meaning, since a route rewrites it')
  const rest = settings.prefix === '/' ? path : path.slice(settings.prefix.length)
  const replaced = `${withoutEndSlash(settings.replacement)}${rest}`
  return `${replaced === '' ? '/' : replaced}${query}`
}

const withoutEndSlash = (text: string): string => (text.endsWith('/') ? text.slice(0, -1) : text)
