/** The ports of a gateway, as the snapshot of the moment names them. */
import type { Log } from '@weft/schemas/node/log'
import type { IndexedSnapshot } from '@weft/schemas/snapshot'
import { DEFAULT_LIMITS } from '../transport/http1/limits.ts'
import { GatewayPort, type GatewayPortOptions } from './port.ts'

/** Ports that a snapshot no longer names let what they carry end. */
const CLOSE_MS = 10_000

type PortOptions = Omit<GatewayPortOptions, 'port'>

export class GatewayPorts {
  readonly #options: PortOptions
  readonly #log: Log
  readonly #ports = new Map<number, GatewayPort>()
  readonly #leaving = new Set<Promise<void>>()

  constructor(options: PortOptions, log: Log) {
    this.#options = options
    this.#log = log
  }

  async adopt({ snapshot }: IndexedSnapshot): Promise<void> {
    const { listeners = [], maxHeadBytes = DEFAULT_LIMITS.maxHeadBytes } = snapshot.gateway ?? {}
    const limits = { ...DEFAULT_LIMITS, maxHeadBytes }
    const byPort = Map.groupBy(listeners, ({ port }) => port)
    for (const [number, port] of this.#ports) if (!byPort.has(number)) this.#leave(number, port)
    for (const [number, ofPort] of byPort) {
      const port = this.#ports.get(number) ?? new GatewayPort({ ...this.#options, port: number }, limits)
      this.#ports.set(number, port)
      port.update(ofPort, limits)
    }
    await this.#open()
  }

  async refresh(): Promise<void> {
    for (const port of this.#ports.values()) port.refresh()
    await this.#open()
  }

  async drain(deadlineMs: number): Promise<void> {
    await Promise.all([...[...this.#ports.values()].map((port) => port.drain(deadlineMs)), ...this.#leaving])
  }

  /** A port that cannot be bound is tried again: it must not take the others with it. */
  async #open(): Promise<void> {
    await Promise.all(
      [...this.#ports].map(async ([number, port]) => {
        try {
          await port.open()
        } catch (error) {
          this.#log.error({ port: number, reason: String(error) }, 'a port of the gateway cannot be opened')
        }
      }),
    )
  }

  #leave(number: number, port: GatewayPort): void {
    this.#ports.delete(number)
    const left = port.drain(CLOSE_MS)
    this.#leaving.add(left)
    void left.then(() => this.#leaving.delete(left))
  }
}
