/** Services made up for hosts that nobody defined, where `egress: allowAll` lets them out: one for each host, the newest few of them. */
import { DEFAULT_TRAFFIC, type ServiceEntry } from '@weft/schemas/snapshot'

/** An app that talks to more hosts than this at a time pays with new connections; a hostile one cannot grow our memory. */
const MAX_HOSTS = 256
const HTTP_PORT = 80
const MAX_PORT = 65_535

export class ForeignHosts {
  readonly #services = new Map<string, ServiceEntry>()
  readonly #onForgotten: (service: ServiceEntry) => void

  constructor(onForgotten: (service: ServiceEntry) => void) {
    this.#onForgotten = onForgotten
  }

  /** Undefined for a port that is none. `authority` has the form of one: transports see to that. */
  serviceFor(authority: string): ServiceEntry | undefined {
    const known = this.#services.get(authority)
    if (known !== undefined) {
      // Newest last: a map keeps the order of insertion.
      this.#services.delete(authority)
      this.#services.set(authority, known)
      return known
    }
    const service = foreignService(authority)
    if (service === undefined) return undefined
    this.#services.set(authority, service)
    if (this.#services.size > MAX_HOSTS) this.#forgetOldest()
    return service
  }

  clear(): void {
    this.#services.clear()
  }

  #forgetOldest(): void {
    for (const [authority, service] of this.#services) {
      this.#services.delete(authority)
      this.#onForgotten(service)
      return
    }
  }
}

function foreignService(authority: string): ServiceEntry | undefined {
  const [, host = authority, digits] = /^(.*?)(?::(\d+))?$/.exec(authority) ?? []
  const port = digits === undefined ? HTTP_PORT : Number(digits)
  if (port < 1 || port > MAX_PORT) return undefined
  return {
    // What is counted by name must not be what a caller chooses; the space keeps it apart from every namespace.
    name: 'outside',
    namespace: `outside ${authority}`,
    hosts: [authority],
    endpoints: [
      {
        address: host.replace(/^\[(.*)\]$/, '$1'),
        port,
        identity: '',
        labels: {},
      },
    ],
    traffic: DEFAULT_TRAFFIC,
    external: { resolution: 'dns' },
  }
}
