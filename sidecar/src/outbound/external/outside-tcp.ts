/** Opaque connections to hosts that nobody defined, where `egress: allowAll` lets them out: TLS that the app itself begins, most of all. */
import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { Metrics } from '@weft/schemas/node/metrics'
import { decide, subjectOf, type TcpAction } from '@weft/schemas/policy'
import { DEFAULT_TRAFFIC, type SnapshotSource } from '@weft/schemas/snapshot'
import type { TcpMetrics } from '../../layers/tcp-metrics.ts'
import type { OpenTunnel } from '../../transport/tcp/pending-splice.ts'
import type { Tunnel } from '../../transport/tcp/splice.ts'
import type { Resolve } from './addresses.ts'
import { dialExternal } from './dial.ts'
import { withoutAllows } from './egress.ts'

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

const { connectTimeoutMs, maxConnections } = DEFAULT_TRAFFIC

export class OutsideTcp {
  readonly #options: OutsideTcpOptions
  #count = 0

  constructor(options: OutsideTcpOptions) {
    this.#options = options
  }

  /** Throws MeshError `permission_denied` where a policy that denies speaks of it. */
  tunnelTo({ host, port }: Outside): OpenTunnel {
    this.#judge(port)
    return (done) => {
      let isOver = false
      const finish = (result: Tunnel | MeshError): void => {
        if (isOver) return
        isOver = true
        clearTimeout(timer)
        if (result instanceof MeshError) this.#count--
        this.#options.tcpMetrics.connection(this.#parties(), result instanceof MeshError ? result : undefined)
        done(result)
      }
      const target = `${host}:${port}`
      this.#count++
      if (this.#count > maxConnections) {
        const timer = setImmediate(() => finish(tooMany()))
        return () => this.#giveUp(() => clearImmediate(timer), isOver)
      }
      const dial = dialExternal({ address: host, port }, { resolution: 'dns' }, this.#options.resolve, {
        allowHalfOpen: true,
      })
      const socket = dial((opened) => {
        opened.pause()
        opened.once('close', () => this.#count--)
        finish({
          socket: opened,
          onBytes: (sent, received) => this.#options.tcpMetrics.bytes(this.#parties(), sent, received),
        })
      }, finish)
      const timer = setTimeout(() => {
        socket.destroy()
        finish(
          new MeshError('connect_failed', `no connection to ${target} within ${connectTimeoutMs} ms`, {
            target,
          }),
        )
      }, connectTimeoutMs)
      return () => {
        clearTimeout(timer)
        this.#giveUp(() => socket.destroy(), isOver)
        isOver = true
      }
    }
  }

  #giveUp(end: () => void, isOver: boolean): void {
    end()
    if (!isOver) this.#count--
  }

  #judge(port: number): void {
    const source = this.#options.identity.current().spiffeId
    const action: TcpAction = { protocol: 'tcp', service: '', namespace: '', port }
    const decided = decide(
      withoutAllows(this.#options.snapshots.current().policies),
      subjectOf(source),
      action,
    )
    if (decided.allowed) return
    const policy = decided.policy ?? '-'
    this.#options.metrics
      .counter('weft_policy_refused_total')
      .inc({ protocol: 'tcp', source: source.serviceAccount, target: 'outside', policy, mode: 'enforce' })
    throw new MeshError('permission_denied', decided.explanation, {
      identity: source.uri,
      target: 'outside',
      policy,
    })
  }

  #parties() {
    return { source: this.#options.identity.current().spiffeId.serviceAccount, destination: 'outside' }
  }
}

const tooMany = (): MeshError =>
  new MeshError('overloaded', `expected at most ${maxConnections} connections to hosts outside`)
