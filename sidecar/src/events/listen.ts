/** The way in of the event API: this sidecar's own HTTP/1.1 server in plain text, for the local app alone. */
import type { ListenHttp } from '@weft/broker-bridge/events'
import type { MeshError } from '@weft/schemas/error'
import type { Log } from '@weft/schemas/node/log'
import type { Metrics } from '@weft/schemas/node/metrics'
import { listen } from '../listen/index.ts'
import type { Peer } from '../transport/exchange.ts'
import { DEFAULT_LIMITS } from '../transport/http1/limits.ts'
import { ServerConnection } from '../transport/http1/server-connection.ts'

/** Whoever reaches the loopback listener is the local app: it has no certificate, and needs none. */
const LOCAL_APP: Peer = { id: undefined, subject: { kind: 'anonymous' } }

export function listenForEvents({
  metrics,
  log,
}: {
  readonly metrics: Metrics
  readonly log: Log
}): ListenHttp {
  const rejected = metrics.counter('weft_http_rejected_total')
  return ({ host, port, service }) =>
    listen({
      host,
      port,
      accept: (socket) =>
        new ServerConnection(socket, {
          service,
          peer: LOCAL_APP,
          limits: DEFAULT_LIMITS,
          acceptsAbsoluteForm: false,
          onRejected(error: MeshError) {
            rejected.inc({ direction: 'events', code: error.row.id })
            log.debug({ code: error.row.id, reason: error.message }, 'request refused')
          },
        }),
    })
}
