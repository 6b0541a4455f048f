/** Opens connections to a service outside: resolved anew, to whichever of its addresses answers first, over TLS where the resource says so. */
import type { LookupAddress } from 'node:dns'
import { connect, isIP, type LookupFunction, Socket, type TcpNetConnectOpts } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'
import { MeshError } from '@weft/schemas/error'
import type { Endpoint, ExternalSettings } from '@weft/schemas/snapshot'
import type { PoolOptions } from '../../transport/pool.ts'
import { Addresses, type Resolve } from './addresses.ts'
import { externalContext } from './credentials.ts'
import { isForbiddenAddress } from './forbidden-address.ts'

type Address = Pick<Endpoint, 'address' | 'port'>

/** RFC 8305, section 5: time that one address has before the next is tried beside it. */
const HAPPY_EYEBALLS_DELAY_MS = 250

export function dialExternal(
  endpoint: Address,
  external: ExternalSettings,
  resolve: Resolve,
  more: Pick<TcpNetConnectOpts, 'allowHalfOpen'> = {},
): PoolOptions['dial'] {
  const { address: host, port } = endpoint
  const { tls } = external
  const isAllowed = isVouchedFor(host, external)
    ? () => true
    : (address: string) => !isForbiddenAddress(address)
  const context = tls === undefined ? undefined : externalContext(tls)
  const lookup = lookupOf(new Addresses({ host, resolve }), isAllowed)
  const target = {
    ...more,
    host,
    port,
    noDelay: true,
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: HAPPY_EYEBALLS_DELAY_MS,
  }
  return (ready, failed) => {
    // An address that stands there as it is is looked up nowhere.
    if (isIP(host) !== 0 && !isAllowed(host))
      return refused(failed, failureOf(endpoint, new ForbiddenAddressError(host)))
    let socket: Socket
    try {
      socket = open(target, context, tls?.serverName ?? host)
    } catch (error) {
      // A file of the resource cannot be read, or holds something else.
      return refused(failed, failureOf(endpoint, error instanceof Error ? error : new Error(String(error))))
    }
    const onError = (cause: Error): void => failed(failureOf(endpoint, cause))
    socket.once('error', onError)
    socket.once(context === undefined ? 'connect' : 'secureConnect', () => {
      socket.removeListener('error', onError)
      ready(socket)
    })
    return socket
  }
}

/** A socket that never opened: a pool wants one to hold on to. */
function refused(failed: (error: MeshError) => void, error: MeshError): Socket {
  process.nextTick(failed, error)
  return new Socket()
}

/** The server has to prove the name: Node checks it against the certificate, and the chain against the authorities. */
function open(target: TcpNetConnectOpts, context: (() => SecureContext) | undefined, name: string): Socket {
  if (context === undefined) return connect(target)
  return connectTls({
    ...target,
    secureContext: context(),
    // RFC 6066, section 3: no address in SNI.
    ...(isIP(name) === 0 && { servername: name }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: true,
  })
}

/** Whoever wrote the resource chose this address; what a name stands for is chosen by DNS. */
const isVouchedFor = (host: string, { name, resolution }: ExternalSettings): boolean =>
  name !== undefined && (resolution === 'static' || isIP(host) !== 0 || host === 'localhost')

function lookupOf(addresses: Addresses, isAllowed: (address: string) => boolean): LookupFunction {
  return (host, _options, resolved) => {
    // With autoSelectFamily the whole list is asked for, whatever the type says.
    const answer = resolved as (error: Error | null, addresses: LookupAddress[]) => void
    addresses.current().then(
      (all) => {
        const allowed = all.filter(({ address }) => isAllowed(address))
        answer(allowed.length === 0 ? new ForbiddenAddressError(host) : null, allowed)
      },
      (error: unknown) => answer(error instanceof Error ? error : new Error(String(error)), []),
    )
  }
}

class ForbiddenAddressError extends Error {
  constructor(host: string) {
    super(
      `${host} leads to an address of this host or of its link; an ExternalService has to name that address itself`,
    )
    this.name = 'ForbiddenAddressError'
  }
}

/** Node's names for a server that did not prove what it had to. */
const UNPROVEN = /CERT|SELF_SIGNED|UNABLE_TO|ISSUER|ALTNAME/

function failureOf({ address: host, port }: Address, cause: Error): MeshError {
  const target = `${host}:${port}`
  if (cause instanceof ForbiddenAddressError)
    return new MeshError('forbidden_address', cause.message, { cause, target })
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
  if (UNPROVEN.test(code))
    return new MeshError(
      'peer_identity',
      `expected a certificate for ${host} of an authority that is believed: ${code}`,
      {
        cause,
        target,
      },
    )
  return new MeshError('connect_failed', `no connection to ${target}: ${code}`, { cause, target })
}
