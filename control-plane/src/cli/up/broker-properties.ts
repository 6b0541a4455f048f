import type { BrokerOptions } from './broker.ts'

interface Place {
  readonly host: string
  readonly port: number
  readonly controllerPort: number
  readonly logDir: string
}

/** server.properties of a single node for development: safe defaults, small internal topics, no surprise topics. */
export function serverProperties(options: BrokerOptions, place: Place): string {
  const { tls } = options
  const settings: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${place.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'CLIENT',
    'listener.security.protocol.map': `CLIENT:${tls === undefined ? 'PLAINTEXT' : 'SSL'},CONTROLLER:PLAINTEXT`,
    listeners: `CLIENT://${place.host}:${place.port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${place.port}`,
    'log.dirs': place.logDir,
    // One node: what replicates by default has to make do with one copy.
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'default.replication.factor': '1',
    // Fewer partitions: the node starts in seconds.
    'offsets.topic.num.partitions': '3',
    'transaction.state.log.num.partitions': '3',
    'group.initial.rebalance.delay.ms': '0',
    // A topic exists because a Topic resource says so.
    'auto.create.topics.enable': 'false',
    ...(tls !== undefined && {
      'ssl.client.auth': 'required',
      'ssl.enabled.protocols': 'TLSv1.3',
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.certificate.chain': tls.certificatePem,
      'ssl.keystore.key': tls.privateKeyPem,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.certificates': tls.trustBundlePem,
      // The broker is its own client on this listener; SPIFFE certificates are checked by chain, not by host name.
      'ssl.endpoint.identification.algorithm': '',
    }),
    ...options.properties,
  }
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value.trim().replaceAll('\n', '\\n')}\n`)
    .join('')
}
