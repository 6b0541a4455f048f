/** Counts opaque connections and their bytes by who called whom. */
import type { MeshError } from '@weft/schemas/error'
import type { Metrics } from '@weft/schemas/node/metrics'

/** Service accounts, or `-`. */
export interface TcpParties {
  readonly source: string
  readonly destination: string
}

export interface TcpMetrics {
  /** Without an error it was opened. */
  connection(parties: TcpParties, error?: MeshError): void
  /** `sent` went from the caller to the callee. */
  bytes(parties: TcpParties, sent: number, received: number): void
}

export function tcpMetrics(metrics: Metrics, direction: 'inbound' | 'outbound'): TcpMetrics {
  const connections = metrics.counter('weft_tcp_connections_total')
  const bytes = metrics.counter('weft_tcp_bytes_total')
  return {
    connection: (parties, error) => connections.inc({ direction, ...parties, error: error?.row.id ?? '-' }),
    bytes(parties, sent, received) {
      if (sent > 0) bytes.inc({ direction, ...parties, flow: 'sent' }, sent)
      if (received > 0) bytes.inc({ direction, ...parties, flow: 'received' }, received)
    },
  }
}
