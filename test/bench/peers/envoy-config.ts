/** Envoy's configuration for one side of a pair: router, cluster, TLS 1.3 with both certificates checked; no access log. */
import type { Side } from './pair.ts'

const TYPE = 'type.googleapis.com/envoy.extensions.'

/** What is spoken on the three stretches: client to sidecar, sidecar to sidecar, sidecar to app. */
export interface Protocols {
  readonly edge: 'HTTP1' | 'HTTP2'
  readonly hop: 'HTTP1' | 'HTTP2'
}

/** Bootstrap as JSON. */
export function envoyConfig(side: Side, { edge, hop }: Protocols): object {
  const isOut = side.role === 'out'
  const socket = tls(side, hop)
  return {
    static_resources: {
      listeners: [
        {
          name: 'listener',
          address: addressOf(side.port),
          filter_chains: [
            { filters: [connectionManager(isOut ? edge : hop)], ...(!isOut && { transport_socket: socket }) },
          ],
        },
      ],
      clusters: [cluster(side.upstreamPort, isOut ? hop : edge, isOut ? socket : undefined)],
    },
  }
}

/** Bytes from one port to another. */
export function tcpProxyConfig(port: number, upstreamPort: number): object {
  const proxy = {
    '@type': `${TYPE}filters.network.tcp_proxy.v3.TcpProxy`,
    stat_prefix: 'bench',
    cluster: 'upstream',
  }
  const filters = [{ name: 'envoy.filters.network.tcp_proxy', typed_config: proxy }]
  return {
    static_resources: {
      listeners: [{ name: 'listener', address: addressOf(port), filter_chains: [{ filters }] }],
      clusters: [cluster(upstreamPort, 'HTTP1', undefined)],
    },
  }
}

const addressOf = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } })

function connectionManager(codec: string): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${TYPE}filters.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'bench',
      codec_type: codec,
      http_filters: [
        {
          name: 'envoy.filters.http.router',
          typed_config: { '@type': `${TYPE}filters.http.router.v3.Router` },
        },
      ],
      route_config: {
        virtual_hosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }],
          },
        ],
      },
    },
  }
}

function cluster(port: number, protocol: string, socket: object | undefined): object {
  const options = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'
  return {
    name: 'upstream',
    type: 'STATIC',
    load_assignment: {
      cluster_name: 'upstream',
      endpoints: [{ lb_endpoints: [{ endpoint: { address: addressOf(port) } }] }],
    },
    ...(protocol === 'HTTP2' && {
      typed_extension_protocol_options: {
        [options]: {
          '@type': `${TYPE}upstreams.http.v3.HttpProtocolOptions`,
          explicit_http_config: { http2_protocol_options: {} },
        },
      },
    }),
    ...(socket !== undefined && { transport_socket: socket }),
  }
}

function tls({ role, pki }: Side, hop: string): object {
  const isOut = role === 'out'
  const peer = 'in.bench.local'
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${TYPE}transport_sockets.tls.v3.${isOut ? 'Upstream' : 'Downstream'}TlsContext`,
      ...(isOut ? { sni: peer } : { require_client_certificate: true }),
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: 'TLSv1_3', tls_maximum_protocol_version: 'TLSv1_3' },
        alpn_protocols: [hop === 'HTTP2' ? 'h2' : 'http/1.1'],
        tls_certificates: [
          {
            certificate_chain: { filename: `${pki}/${role}.crt` },
            private_key: { filename: `${pki}/${role}.key` },
          },
        ],
        validation_context: {
          trusted_ca: { filename: `${pki}/ca.crt` },
          ...(isOut && {
            match_typed_subject_alt_names: [{ san_type: 'DNS', matcher: { exact: peer } }],
          }),
        },
      },
    },
  }
}
