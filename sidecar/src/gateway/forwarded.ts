/**
 * What an app behind the gateway may believe of its caller. The gateway is the edge: whatever a caller wrote in these fields is
 * taken out, and written anew from what the connection proves.
 */
import { isIdentityHeader } from '@weft/schemas/identity-headers'
import type { RequestHead, Service } from '../transport/exchange.ts'
import { removeFields } from '../transport/fields.ts'
import type { GatewayConnection } from './port.ts'

const WRITTEN_HERE: ReadonlySet<string> = new Set([
  'forwarded', // RFC 7239
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
])

export function forwarded(inner: Service, connectionOf: (head: RequestHead) => GatewayConnection): Service {
  return {
    call(head, response) {
      const { address, provenFor } = connectionOf(head)
      const scheme = provenFor === undefined ? 'http' : 'https'
      removeFields(head.fields, isForged)
      head.fields.push('x-forwarded-for', address, 'x-forwarded-proto', scheme)
      if (head.authority !== '') head.fields.push('x-forwarded-host', head.authority)
      return inner.call(head, response)
    },
  }
}

/** Also in the spelling with `_`, which CGI-like servers cannot tell from `-`. */
function isForged(name: string): boolean {
  return WRITTEN_HERE.has(name.includes('_') ? name.replaceAll('_', '-') : name) || isIdentityHeader(name)
}
