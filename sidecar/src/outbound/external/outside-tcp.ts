/**
 * Opaque connections out of the mesh: to ports of protocol tcp of an ExternalService, and to hosts that nobody defined, where `egress: allowAll` lets them out. TLS
 * that the app itself begins, most of all.
 */
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Metrics } from '@weft/schemas/node/metrics'
import { decide, subjectOf, type TcpAction } from '@weft/schemas/policy'
import {
  DEFAULT_TRAFFIC,
  type Endpoint,
  type ExternalSettings,
  type ServiceEntry,
  type SnapshotSource,
  type TrafficSettings,
} from '@weft/schemas/snapshot'
import type { TcpMetrics } from '../../layers/tcp-metrics.ts'
import type { OpenTunnel } from '../../transport/tcp/pending-splice.ts'
import type { Tunnel } from '../../transport/tcp/splice.ts'
import type { TcpTarget } from '../tcp.ts'
import type { Resolve } from './addresses.ts'
import { dialExternal } from './dial.ts'
import { policiesFor } from './egress.ts'

export interface OutsideTcpOptions {
  readonly snapshots: SnapshotSource
  readonly identity: IdentitySource
  readonly resolve: Resolve
  readonly metrics: Metrics
  readonly tcpMetrics: TcpMetrics
}

/** Where a connection is to go. An address that was captured, or a name that the app has said. */
export interface Outside {
  readonly host: string
  readonly port: number
}

interface Way {
  /** In metrics, and for limits. */
  readonly destination: string
  readonly endpoints: readonly Pick<Endpoint, 'address' | 'port'>[]
  readonly external: ExternalSettings
  readonly traffic: Pick<TrafficSettings, 'connectTimeoutMs' | 'maxConnections' | 'retry'>
}

export class OutsideTcp {
  readonly #options: OutsideTcpOptions
  /** Open and opening connections, by destination. */
  readonly #counts = new Map<string, number>()

  constructor(options: OutsideTcpOptions) {
    this.#options = options
  }

  /** Throws MeshError `permission_denied` where a policy that denies speaks of it. */
  tunnelTo({ host, port }: Outside): OpenTunnel {
    this.#judge({ protocol: 'tcp', service: '', namespace: '', port }, undefined)
    return this.#open({
      destination: 'outside',
      endpoints: [{ address: host, port }],
      external: { resolution: 'dns' },
      traffic: DEFAULT_TRAFFIC,
    })
  }

  /** To a port of protocol tcp of an ExternalService. Throws MeshError `permission_denied` unless a policy allows it. */
  tunnelToService(service: ServiceEntry, external: ExternalSettings, port: number): OpenTunnel {
    const { namespace, endpoints, traffic } = service
    const name = external.name ?? ''
    this.#judge({ protocol: 'tcp', resource: 'externalService', service: name, namespace, port }, name)
    return this.#open({ destination: name, endpoints, external, traffic })
  }

  #open(way: Way): OpenTunnel {
    const { destination, traffic } = way
    return (done) => {
      this.#count(destination, 1)
      let giveUp = (): void => {}
      let isOver = false
      const finish = (result: Tunnel | MeshError): void => {
        if (isOver) return
        isOver = true
        if (result instanceof MeshError) this.#count(destination, -1)
        const error = result instanceof MeshError ? result : undefined
        this.#options.tcpMetrics.connection(this.#parties(destination), error)
        done(result)
      }
      const isFull = (this.#counts.get(destination) ?? 0) > traffic.maxConnections
      // In a later turn: whoever asks has not been told yet how to give up.
      const started = setImmediate(() => {
        if (isFull) finish(tooMany(destination, traffic.maxConnections))
        else giveUp = this.#attempt(way, finish)
      })
      return () => {
        if (isOver) return
        isOver = true
        clearImmediate(started)
        giveUp()
        this.#count(destination, -1)
      }
    }
  }

  /** One endpoint after the other, as many as the retries allow. */
  #attempt(way: Way, finish: (result: Tunnel | MeshError) => void): () => void {
    const first = Math.floor(Math.random() * way.endpoints.length)
    const inTurn = [...way.endpoints.slice(first), ...way.endpoints.slice(0, first)]
    const left = inTurn.slice(0, way.traffic.retry.attempts + 1)
    let end = (): void => {}
    const next = (last: MeshError): void => {
      const endpoint = left.shift()
      if (endpoint === undefined) finish(last)
      else end = this.#dial(endpoint, way, finish, next)
    }
    next(new MeshError('no_endpoint', `${way.destination} has no endpoint`))
    return () => end()
  }

  #dial(
    endpoint: Pick<Endpoint, 'address' | 'port'>,
    { destination, external, traffic: { connectTimeoutMs } }: Way,
    opened: (tunnel: Tunnel) => void,
    failed: (error: MeshError) => void,
  ): () => void {
    const target = `${endpoint.address}:${endpoint.port}`
    const dial = dialExternal(endpoint, external, this.#options.resolve, { allowHalfOpen: true })
    let isOver = false
    const over = (): boolean => {
      if (isOver) return true
      isOver = true
      clearTimeout(timer)
      return false
    }
    const socket = dial(
      (ready) => {
        if (over()) return
        ready.pause()
        ready.once('close', () => this.#count(destination, -1))
        opened({
          socket: ready,
          onBytes: (sent, received) =>
            this.#options.tcpMetrics.bytes(this.#parties(destination), sent, received),
        })
      },
      (error) => {
        if (!over()) failed(error)
      },
    )
    const timer = setTimeout(() => {
      socket.destroy()
      const why = `no connection to ${target} within ${connectTimeoutMs} ms`
      if (!over()) failed(new MeshError('connect_failed', why, { target }))
    }, connectTimeoutMs)
    return () => {
      if (!over()) socket.destroy()
    }
  }

  #count(destination: string, change: 1 | -1): void {
    this.#counts.set(destination, (this.#counts.get(destination) ?? 0) + change)
  }

  #judge(action: TcpAction, name: string | undefined): void {
    const source = this.#options.identity.current().spiffeId
    const policies = policiesFor(name, this.#options.snapshots.current().policies)
    const { allowed, audited, policy: decider, explanation } = decide(policies, subjectOf(source), action)
    const target = name === undefined ? 'outside' : `${action.namespace}/${name}`
    const count = (policy: string, mode: 'enforce' | 'audit'): void =>
      this.#options.metrics
        .counter('weft_policy_refused_total')
        .inc({ protocol: 'tcp', source: source.serviceAccount, target, policy, mode })
    if (audited !== undefined) count(audited, 'audit')
    if (allowed) return
    const policy = decider ?? '-'
    count(policy, 'enforce')
    throw new MeshError('permission_denied', explanation, { identity: source.uri, target, policy })
  }

  #parties(destination: string) {
    return { source: this.#options.identity.current().spiffeId.serviceAccount, destination }
  }
}

/** The tunnel to a port that a service outside has; undefined for one of the mesh's own. */
export const outsideTunnel = (outside: OutsideTcp, { service, port }: TcpTarget): OpenTunnel | undefined =>
  service.external && outside.tunnelToService(service, service.external, port)

const tooMany = (destination: string, most: number): MeshError =>
  new MeshError('overloaded', `expected at most ${most} connections to ${destination}`)
