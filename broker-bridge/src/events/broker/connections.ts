import { MeshError } from '@weft/schemas/error'
import type { IdentitySource } from '@weft/schemas/node/identity'
import type { KafkaCluster } from '@weft/schemas/snapshot'
import { type BrokerAddress, toAddress } from '../../connect-broker.ts'
import { BrokerClient } from './client.ts'

export interface BrokerConnectionsOptions {
  readonly clientId: string
  /** The cluster right now; undefined while there is none. */
  readonly cluster: () => KafkaCluster | undefined
  readonly identity: IdentitySource
}

/** One connection to each broker that is asked for, with the certificate and in the cluster of now: what was opened for others is closed. */
export class BrokerConnections {
  readonly #options: BrokerConnectionsOptions
  readonly #clients = new Map<string, Promise<BrokerClient>>()
  #madeFor = ''
  /** Bootstrap servers are taken in turn. */
  #turn = 0

  constructor(options: BrokerConnectionsOptions) {
    this.#options = options
  }

  /** To one of the bootstrap servers; the next one after a failure. Throws `broker_unavailable` or `connect_failed`. */
  async any(): Promise<BrokerClient> {
    const servers = this.#cluster().bootstrapServers
    const server = servers[this.#turn % servers.length]
    if (server === undefined) throw new MeshError('broker_unavailable', 'no bootstrap server is configured')
    try {
      return await this.to(toAddress(server))
    } catch (error) {
      this.#turn++
      throw error
    }
  }

  /** To this one. Throws `connect_failed`. */
  to(address: BrokerAddress): Promise<BrokerClient> {
    const { security } = this.#cluster()
    const identity = this.#options.identity.current()
    const madeFor = `${security} ${this.#cluster().bootstrapServers.join(',')} ${identity.expiresAt.getTime()}`
    if (madeFor !== this.#madeFor) this.close()
    this.#madeFor = madeFor
    const key = `${address.host}:${address.port}`
    const known = this.#clients.get(key)
    if (known !== undefined) return known
    const forget = (): void => {
      if (this.#clients.get(key) === opened) this.#clients.delete(key)
    }
    const opened = BrokerClient.open({
      address,
      security,
      identity,
      clientId: this.#options.clientId,
      onClose: forget,
    })
    this.#clients.set(key, opened)
    opened.catch(forget)
    return opened
  }

  close(): void {
    for (const client of this.#clients.values())
      client.then(
        (opened) => opened.close(),
        () => {},
      )
    this.#clients.clear()
  }

  #cluster(): KafkaCluster {
    const cluster = this.#options.cluster()
    if (cluster === undefined)
      throw new MeshError('broker_unavailable', 'no Kafka cluster is configured in the mesh')
    return cluster
  }
}
