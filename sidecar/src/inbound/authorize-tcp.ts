/** Asks the one policy whether this caller may connect to this port of the service, and says where the app listens for it. */
import { MeshError } from '@weft/schemas/error'
import { decide, type TcpAction } from '@weft/schemas/policy'
import type { Peer } from '../transport/exchange.ts'
import type { AuthorizeOptions } from './authorize.ts'
import { ownService } from './withdrawn.ts'

/** The port of the app on loopback. Throws MeshError: refused, or no such port. */
export type AuthorizeTcp = (peer: Peer, port: number) => number

export function authorizeTcp({ snapshots, metrics, log }: Omit<AuthorizeOptions, 'targetOf'>): AuthorizeTcp {
  const refusals = metrics.counter('weft_policy_refused_total')
  const count = (peer: Peer, target: string, policy: string, mode: 'enforce' | 'audit'): void =>
    refusals.inc({ protocol: 'tcp', source: peer.id?.serviceAccount ?? '-', target, policy, mode })

  return (peer, port) => {
    const now = snapshots.current()
    const { service, namespace } = ownService(now)
    const { tcpPorts = [] } = now.snapshot.workload
    const action: TcpAction = { protocol: 'tcp', service, namespace, port }
    const decided = decide(now.policies, peer.subject, action)
    if (!decided.allowed) {
      const { policy = '-', reason, explanation } = decided
      const identity = peer.id?.uri ?? 'anonymous'
      const target = `${namespace}/${service}`
      count(peer, service, policy, 'enforce')
      log.warn({ identity, action: `connect ${port}`, target, policy, reason }, 'refused by policy')
      throw new MeshError('permission_denied', explanation, { identity, target, policy })
    }
    if (decided.audited !== undefined) count(peer, service, decided.audited, 'audit')
    const known = tcpPorts.find((candidate) => candidate.port === port)
    if (known === undefined)
      throw new MeshError(
        'misdirected',
        `expected a tcp port of service ${namespace}/${service}; ${port} came`,
      )
    return known.appPort
  }
}
