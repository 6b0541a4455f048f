/**
 * Addresses that a name must never lead to: who controls a name in DNS, or the Host of a request that an app was tricked
 * into making, would otherwise reach what trusts the host itself or hands out its credentials.
 */
import { BlockList, isIP } from 'node:net'

const FORBIDDEN = new BlockList()

/** IPv4: this host and its network (RFC 1122), loopback, link-local with the metadata services of the clouds, multicast and above. */
FORBIDDEN.addSubnet('0.0.0.0', 8, 'ipv4')
FORBIDDEN.addSubnet('127.0.0.0', 8, 'ipv4')
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4')
FORBIDDEN.addSubnet('224.0.0.0', 3, 'ipv4')
/** Metadata services elsewhere: Alibaba Cloud, Oracle Cloud, Azure's wire server. */
FORBIDDEN.addAddress('100.100.100.200', 'ipv4')
FORBIDDEN.addAddress('192.0.0.192', 'ipv4')
FORBIDDEN.addAddress('168.63.129.16', 'ipv4')
/** IPv6: unspecified and loopback, link-local, multicast; and EC2's metadata service. */
FORBIDDEN.addSubnet('::', 127, 'ipv6')
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6')
FORBIDDEN.addSubnet('ff00::', 8, 'ipv6')
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6')

/** Prefixes that carry an IPv4 address in their last 32 bits: mapped, compatible, NAT64 (RFC 6052). */
const CARRIERS = ['::ffff:', '::', '64:ff9b::'] as const

/** True for an IP address that only an ExternalService which names it may lead to. What is no IP address is none that is allowed. */
export function isForbiddenAddress(address: string): boolean {
  const version = isIP(address)
  if (version === 4) return FORBIDDEN.check(address, 'ipv4')
  if (version !== 6) return true
  if (FORBIDDEN.check(address, 'ipv6')) return true
  const carried = carriedIpv4(address)
  return carried !== undefined && FORBIDDEN.check(carried, 'ipv4')
}

function carriedIpv4(address: string): string | undefined {
  // URL writes an IPv6 address in its one canonical form (RFC 5952), with the last 32 bits as two groups.
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  for (const prefix of CARRIERS) {
    if (!canonical.startsWith(prefix)) continue
    const groups = canonical.slice(prefix.length).split(':')
    if (groups.length > 2) continue
    const [high, low] = groups.length === 2 ? groups : ['0', groups[0]]
    const bits = (Number.parseInt(high ?? '0', 16) << 16) | Number.parseInt(low ?? '0', 16)
    return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')
  }
  return undefined
}
