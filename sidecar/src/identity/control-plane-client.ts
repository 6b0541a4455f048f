import { X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'
import { type ChannelOptions, Client, credentials } from '@grpc/grpc-js'
import { spiffeIdOf } from '@weft/schemas/node/identity'
import { spiffeId } from '@weft/schemas/spiffe'

const OPTIONS: ChannelOptions = {
  // The certificate is judged by its SPIFFE id. Any name avoids an IP address as SNI, which TLS does not permit.
  'grpc.ssl_target_name_override': 'control-plane.weft-system',
  // HTTP_PROXY of this host means the app's calls, often to this very sidecar.
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  // A channel has the certificate that it was made with: two of them never share a connection.
  'grpc.use_local_subchannel_pool': 1,
  // Who retries is the caller, who also logs.
  'grpc.enable_retries': 0,
  // A control plane that is gone without a word (host lost, network cut) is noticed within 15 s.
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
  // A snapshot of some ten thousand endpoints; more is taken for a fault.
  'grpc.max_receive_message_length': 64 * 1024 * 1024,
  'grpc.enable_channelz': 0,
}

/** A gRPC client to `host:port` that talks to nobody but the control plane of the trust domain. The caller closes it. */
export function controlPlaneClient(address: string, context: SecureContext, trustDomain: string): Client {
  const channel = credentials.createFromSecureContext(context, {
    // Runs after OpenSSL has verified the chain against the CA of the context.
    checkServerIdentity: (_host, { raw }) =>
      isControlPlane(new X509Certificate(raw), trustDomain)
        ? undefined
        : new Error(`the certificate is not that of the control plane of ${trustDomain}`),
  })
  return new Client(address, channel, OPTIONS)
}

/** Does the certificate name the control plane of this trust domain? */
export const isControlPlane = (certificate: X509Certificate, trustDomain: string): boolean =>
  spiffeIdOf(certificate)?.uri === spiffeId(trustDomain, 'weft-system', 'control-plane').uri
