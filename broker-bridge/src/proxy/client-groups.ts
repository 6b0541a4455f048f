/**
 * Which consumer group a client is in. A Fetch does not say it, and the messages of a group go over another connection: what both have is the
 * client id. Where members of several groups share one, nobody can tell.
 */
import { JOIN_GROUP } from '../wire/11-join-group.ts'
import { CONSUMER_GROUP_HEARTBEAT } from '../wire/68-consumer-group-heartbeat.ts'
import type { Exchange } from './exchange.ts'

/** What stands in metrics for a group that is not known. */
export const NO_GROUP = '-'
/** Clients choose their ids: a bound, not a working size. */
const MAX_CLIENTS = 1_000

export class ClientGroups {
  readonly #groups = new Map<string, string>()

  /** Looks at what members of groups send. */
  learn(exchange: Exchange): void {
    if (exchange.api === JOIN_GROUP) this.#note(exchange, exchange.read(JOIN_GROUP).groupId)
    else if (exchange.api === CONSUMER_GROUP_HEARTBEAT)
      this.#note(exchange, exchange.read(CONSUMER_GROUP_HEARTBEAT).groupId)
  }

  groupOf(clientId: string): string {
    return this.#groups.get(clientId) ?? NO_GROUP
  }

  #note({ header }: Exchange, group: string): void {
    const clientId = header.clientId ?? ''
    const known = this.#groups.get(clientId)
    if (known === undefined && this.#groups.size < MAX_CLIENTS) this.#groups.set(clientId, group)
    else if (known !== undefined && known !== group) this.#groups.set(clientId, NO_GROUP)
  }
}
