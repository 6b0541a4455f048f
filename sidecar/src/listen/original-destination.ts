/**
 * Where a captured connection was meant to go, before a rule redirected it here. Linux keeps it with the connection;
 * Node has no way to ask, so that one call goes through koffi, which is loaded only where traffic is captured.
 */
import { type Socket, SocketAddress } from 'node:net'

export interface Destination {
  /** IPv4 or IPv6, without brackets. */
  readonly address: string
  readonly port: number
}

/** Undefined for a connection that was not redirected. */
export type DestinationOf = (socket: Socket) => Destination | undefined

/** As in a Host header. */
export const authorityOf = ({ address, port }: Destination): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

export const notCaptured: DestinationOf = () => undefined

type GetSockOpt = (fd: number, level: number, name: number, value: Buffer, length: number[]) => number

/** linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h: both options are number 80, each of its own protocol. */
const SOL_IP = 0
const SOL_IPV6 = 41
const SO_ORIGINAL_DST = 80
/** Of a struct sockaddr_in6, the larger one. */
const SOCKADDR_BYTES = 28

/** Asks the kernel. Rejects where koffi cannot be loaded or this is not Linux. */
export async function originalDestination(): Promise<DestinationOf> {
  const { default: koffi } = await import('koffi')
  const getsockopt = koffi
    .load(null)
    .func(
      'int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *length)',
    ) as unknown as GetSockOpt
  const ask = (fd: number, level: number): Buffer | undefined => {
    const value = Buffer.alloc(SOCKADDR_BYTES)
    return getsockopt(fd, level, SO_ORIGINAL_DST, value, [SOCKADDR_BYTES]) === 0 ? value : undefined
  }
  return (socket) => {
    const fd = descriptorOf(socket)
    if (fd === undefined) return undefined
    const v4 = ask(fd, SOL_IP)
    const found = v4 === undefined ? ipv6In(ask(fd, SOL_IPV6)) : ipv4In(v4)
    // Who calls this listener by its own address was not redirected.
    if (found === undefined) return undefined
    const isOwn = found.port === socket.localPort && found.address === plainAddress(socket.localAddress ?? '')
    return isOwn ? undefined : found
  }
}

/** Node keeps it to itself; it is there on every platform that has file descriptors. */
function descriptorOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle')
  const fd: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : undefined
  return typeof fd === 'number' && fd >= 0 ? fd : undefined
}

/** struct sockaddr_in: family, port, address. */
const ipv4In = (bytes: Buffer): Destination => ({
  address: bytes.subarray(4, 8).join('.'),
  port: bytes.readUInt16BE(2),
})

/** struct sockaddr_in6: family, port, flow label, address. */
function ipv6In(bytes: Buffer | undefined): Destination | undefined {
  if (bytes === undefined) return undefined
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(8 + 2 * at).toString(16))
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' })
  return { address, port: bytes.readUInt16BE(2) }
}

/** A listener of both families shows IPv4 as `::ffff:10.0.0.1`. */
const plainAddress = (address: string): string => address.replace(/^::ffff:/, '')
