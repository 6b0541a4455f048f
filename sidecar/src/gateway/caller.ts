/** Whom a limit per caller counts as one. */
import { isIPv6 } from 'node:net'
import type { RequestHead } from '../transport/exchange.ts'

/** Hextets that a provider gives to one customer, who may take another address in them for each request (RFC 6177). */
const HEXTETS_OF_CUSTOMER = 4

/** The end user whose token came, or who the certificate says, or else where the connection came from: `address` of IPv4, or /64 of IPv6. */
export function callerOf({ notes, peer }: RequestHead, address: string): string {
  const { token } = notes
  if (token !== undefined) return `token ${String(token.claims.iss)} ${String(token.claims.sub)}`
  if (peer.subject.kind === 'certificate') return `certificate ${peer.subject.names.join(' ')}`
  return isIPv6(address) ? networkOf(address) : address
}

function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  const [start = '', end] = address.replace(/%.*$/, '').split('::')
  const first = start === '' ? [] : start.split(':')
  const last = end === undefined || end === '' ? [] : end.split(':')
  const zeros = end === undefined ? 0 : 8 - first.length - last.length
  const all = [...first, ...new Array<string>(Math.max(0, zeros)).fill('0'), ...last]
  return `${all.slice(0, HEXTETS_OF_CUSTOMER).join(':')}::/64`
}
