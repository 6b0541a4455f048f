/** From the authority of a request to the handlers of its service, built once per snapshot and service. */
import { MeshError } from '@weft/schemas/error'
import type { IndexedSnapshot, ServiceEntry, SnapshotSource } from '@weft/schemas/snapshot'
import type { RouteTable } from '@weft/schemas/snapshot-routes'
import { parseSpiffeId } from '@weft/schemas/spiffe'
import type { RequestHandler, RequestHead, ResponseHandler, Service } from '../transport/exchange.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { ForeignHosts } from './external/foreign.ts'
import type { Outside } from './external/outside-tcp.ts'
import type { Scheme } from './routes/redirect.ts'
import type { TcpTarget } from './tcp.ts'

export interface RouterOptions extends ClusterOptions {
  readonly snapshots: SnapshotSource
  /** The stack below the route, for one service of one snapshot. */
  readonly build: (target: RouteTarget) => Service
  /** The stack of a service that has routes. */
  readonly follow: (parent: RouteParent, backendOf: BackendOf) => Service
}

/** What has routes: a service, or a listener of a gateway. */
export interface RouteParent {
  readonly routes: RouteTable
  /** Undefined: a gateway. */
  readonly service: ServiceEntry | undefined
  /** By which requests come. */
  readonly scheme: Scheme
}

/** Finds a service of the snapshot by `namespace/name`. */
export type BackendOf = (key: string) => RouteTarget

/** One service of a snapshot, and what of it outlives the snapshot. */
export interface RouteTarget {
  readonly service: ServiceEntry
  readonly cluster: Cluster
}

const MAX_PORT = 65_535

interface Target {
  readonly handler: Service
  readonly service: string
  readonly destination: string
}

export class Router implements Service {
  readonly #options: RouterOptions
  #clusters = new Map<string, Cluster>()
  readonly #leaving = new Set<Promise<void>>()
  #targets = new Map<ServiceEntry, Target>()
  #services = new Map<string, ServiceEntry>()
  #current: IndexedSnapshot
  readonly #foreign = new ForeignHosts((service) => this.#forget(service))
  readonly #endSubscriptions: (() => void)[]

  constructor(options: RouterOptions) {
    this.#options = options
    this.#current = options.snapshots.current()
    this.#adopt(this.#current)
    this.#endSubscriptions = [
      options.snapshots.onChange((now) => this.#adopt(now)),
      options.identity.onRotate(() => this.#retire()),
    ]
  }

  call(head: RequestHead, response: ResponseHandler): RequestHandler {
    const target = this.#target(head)
    head.notes.service = target.service
    head.notes.destination = target.destination
    return target.handler.call(head, response)
  }

  /** Throws `unknown_host` where no service of the mesh has this authority. */
  check(authority: string): void {
    if (this.#find(authority) === undefined) throw unknownHost(authority)
  }

  /** The tcp port that an authority with a port means; undefined where it means none. */
  tcpTarget(authority: string): TcpTarget | undefined {
    const service = this.#find(authority)
    const port = Number(authority.slice(authority.lastIndexOf(':') + 1))
    return service?.tcpPorts?.includes(port) === true ? { service, port } : undefined
  }

  /** Where an authority leads that is none of the mesh, if such are let out; undefined where it has no port, too. */
  outside(authority: string): Outside | undefined {
    const [, host = '', digits = ''] = /^(.+):(\d{1,5})$/.exec(authority) ?? []
    const port = Number(digits)
    const isOut = this.#current.snapshot.egress === 'allowAll' && this.#find(authority) === undefined
    return isOut && port >= 1 && port <= MAX_PORT
      ? { host: host.replace(/^\[(.*)\]$/, '$1'), port }
      : undefined
  }

  /** The stack of routes, for the snapshot of this moment. */
  follow(parent: RouteParent): Service {
    return this.#options.follow(parent, (key) => this.#backend(key))
  }

  dropExpired(now: number): void {
    for (const cluster of this.#clusters.values()) cluster.dropExpired(now)
  }

  get clusters(): readonly Cluster[] {
    return [...this.#clusters.values()]
  }

  async close(): Promise<void> {
    for (const end of this.#endSubscriptions) end()
    await Promise.all([...[...this.#clusters.values()].map((cluster) => cluster.close()), ...this.#leaving])
  }

  #find(authority: string): ServiceEntry | undefined {
    const { serviceByHost } = this.#current
    return serviceByHost.get(authority) ?? serviceByHost.get(authority.toLowerCase())
  }

  /** Made up for a host that nobody defined, where that is let out. */
  #outside(authority: string): ServiceEntry | undefined {
    const { egress } = this.#current.snapshot
    return egress === 'allowAll' ? this.#foreign.serviceFor(authority.toLowerCase()) : undefined
  }

  /** The host that is asked for; where it is none of the mesh, the address that a captured connection was meant for. */
  #target({ authority, peer }: RequestHead): Target {
    const service =
      this.#find(authority) ??
      (peer.destination === undefined ? undefined : this.#find(peer.destination)) ??
      this.#outside(authority)
    if (service === undefined) throw unknownHost(authority)
    let target = this.#targets.get(service)
    if (target === undefined) {
      target = this.#build(service)
      this.#targets.set(service, target)
    }
    return target
  }

  #build(service: ServiceEntry): Target {
    const { build } = this.#options
    const { routes } = service
    if (routes !== undefined)
      return {
        handler: this.follow({ routes, service, scheme: 'http' }),
        // Until a backend has been chosen, which then says so.
        service: service.name,
        destination: service.name,
      }
    const handler = build(this.#backend(this.#known(service)))
    return { handler, service: service.name, destination: destinationOf(service) }
  }

  /** The key of a service, which is one of the snapshot, or one that was made up for its host. */
  #known(service: ServiceEntry): string {
    const key = keyOf(service)
    if (!this.#services.has(key)) {
      this.#services.set(key, service)
      const { zone } = this.#current.snapshot.workload
      this.#clusters.set(key, new Cluster(service, zone, this.#options))
    }
    return key
  }

  #backend(key: string): RouteTarget {
    const service = this.#services.get(key)
    const cluster = this.#clusters.get(key)
    if (service === undefined || cluster === undefined)
      throw new MeshError('internal', `no cluster for ${key}`)
    return { service, cluster }
  }

  /** Handlers of the snapshot before go at once: requests in flight hold the ones that they began with. */
  #adopt(now: IndexedSnapshot): void {
    this.#current = now
    this.#targets = new Map()
    this.#services = new Map()
    this.#foreign.clear()
    const before = this.#clusters
    this.#clusters = new Map()
    const { zone } = now.snapshot.workload
    for (const service of now.snapshot.services) {
      const key = keyOf(service)
      this.#services.set(key, service)
      const known = before.get(key)
      known?.update(service, zone)
      this.#clusters.set(key, known ?? new Cluster(service, zone, this.#options))
      before.delete(key)
    }
    for (const cluster of before.values()) this.#leave(cluster)
  }

  #forget(service: ServiceEntry): void {
    this.#targets.delete(service)
    const key = keyOf(service)
    const cluster = this.#clusters.get(key)
    this.#services.delete(key)
    this.#clusters.delete(key)
    if (cluster !== undefined) this.#leave(cluster)
  }

  #leave(cluster: Cluster): void {
    const left = cluster.close()
    this.#leaving.add(left)
    void left.then(() => this.#leaving.delete(left))
  }

  #retire(): void {
    for (const cluster of this.#clusters.values()) cluster.retire()
  }
}

/** Who answers; where nobody does, who should. */
export const destinationOf = ({ name, endpoints }: ServiceEntry): string =>
  parseSpiffeId(endpoints[0]?.identity ?? '')?.serviceAccount ?? name
const unknownHost = (authority: string): MeshError =>
  new MeshError('unknown_host', `expected the host of a service of the mesh; ${authority} is none`, {
    target: authority,
  })

const keyOf = ({ namespace, name }: ServiceEntry): string => `${namespace}/${name}`
