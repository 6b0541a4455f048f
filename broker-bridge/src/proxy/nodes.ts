import { createServer, type Server, type Socket } from 'node:net'
import { MeshError } from '@weft/schemas/error'
import type { BrokerAddress } from '../connect-broker.ts'

interface Node {
  /** Undefined until a broker has named it since the cluster was last changed. */
  address: BrokerAddress | undefined
  readonly server: Server
  /** The local port, or the promise of it while the listener opens. */
  port: number | Promise<number>
}

/** Next free ports that are tried for a broker's listener. */
const MAX_PORT_TRIES = 1_000

export interface NodesOptions {
  readonly host: string
  /** Listeners take the next free ports after this one; 0: any free port. */
  readonly afterPort: number
  readonly accept: (client: Socket, nodeId: number) => void
}

/**
 * The brokers by node id, each with a loopback listener that is opened when the broker is first seen and stays for
 * the life of the sidecar: clients keep its address in their metadata. Where the broker really is follows every answer.
 */
export class Nodes {
  readonly #options: NodesOptions
  readonly #nodes = new Map<number, Node>()
  #lastPort: number

  constructor(options: NodesOptions) {
    this.#options = options
    this.#lastPort = options.afterPort
  }

  /** Notes where a broker is; the local port that stands for it, at once or when its listener has opened. */
  place(nodeId: number, address: BrokerAddress): number | Promise<number> {
    const known = this.#nodes.get(nodeId)
    if (known !== undefined) {
      known.address = address
      return known.port
    }
    const server = createServer({ noDelay: true }, (client) => this.#options.accept(client, nodeId))
    const port = this.#listen(server)
    const node: Node = { address, server, port }
    this.#nodes.set(nodeId, node)
    port.then(
      (opened) => {
        node.port = opened
      },
      () => this.#nodes.delete(nodeId), // tried anew by the next answer that names the broker
    )
    return port
  }

  addressOf(nodeId: number): BrokerAddress {
    const address = this.#nodes.get(nodeId)?.address
    if (address === undefined)
      throw new MeshError(
        'connect_failed',
        `no address is known for Kafka node ${nodeId}: ask the bootstrap port first`,
      )
    return address
  }

  /** Another cluster: its nodes are not these, the listeners stay. */
  forgetAddresses(): void {
    for (const node of this.#nodes.values()) node.address = undefined
  }

  ports(): ReadonlyMap<string, number> {
    const open = [...this.#nodes].filter(([, { port }]) => typeof port === 'number')
    return new Map(open.map(([nodeId, { port }]) => [String(nodeId), port as number]))
  }

  close(): void {
    for (const { server } of this.#nodes.values()) server.close()
  }

  async #listen(server: Server): Promise<number> {
    for (let tries = 0; ; tries++) {
      const wanted = this.#options.afterPort === 0 ? 0 : ++this.#lastPort
      try {
        return await listen(server, this.#options.host, wanted)
      } catch (error) {
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
        if (!isTaken || tries >= MAX_PORT_TRIES) throw error
      }
    }
  }
}

/** Resolves with the port that was bound; rejects with the system's error. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', reject)
  server.listen(port, host, () => {
    server.off('error', reject)
    const bound = server.address()
    resolve(bound !== null && typeof bound === 'object' ? bound.port : port)
  })
  return promise
}
