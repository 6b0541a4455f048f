/** ExternalServices → services of a snapshot, one for each host and port: each has an address of its own, and a TLS of its own. */
import { isIP } from 'node:net'
import type { ExternalServiceResource, TrafficPolicyResource } from '@weft/schemas/resources'
import type { Endpoint, ServiceEntry } from '@weft/schemas/snapshot'
import { inOrderOfName } from '../source/references.ts'
import { trafficOf } from './traffic.ts'

const HTTP_PORT = 80

/** `taken`: authorities of the mesh's own services, which no external one can claim. Of two that claim one host and port, the first has it. */
export function externalServices(
  resources: readonly ExternalServiceResource[],
  trafficPolicies: readonly TrafficPolicyResource[],
  taken: ReadonlySet<string>,
): readonly ServiceEntry[] {
  const claimed = new Set(taken)
  return inOrderOfName(resources).flatMap((resource) => {
    const traffic = trafficOf(trafficPolicies, resource).outbound
    const { hosts, ports } = resource.spec
    return hosts.flatMap((host) =>
      ports.flatMap((port) => {
        const names = authorities(host, port.port)
        if (names.some((name) => claimed.has(name))) return []
        for (const name of names) claimed.add(name)
        return [{ ...entryOf(resource, host, port), hosts: names, traffic }]
      }),
    )
  })
}

type Port = ExternalServiceResource['spec']['ports'][number]

function entryOf({ metadata, spec }: ExternalServiceResource, host: string, port: Port) {
  const { resolution, endpoints } = spec
  const where: readonly { readonly address: string; readonly port?: number }[] =
    resolution === 'static' ? endpoints : [{ address: host }]
  return {
    // A colon is in no Service's name: the two cannot be taken for each other.
    name: `${host}:${port.port}`,
    namespace: metadata.namespace,
    endpoints: where.map(
      (endpoint): Endpoint => ({
        address: endpoint.address,
        port: endpoint.port ?? port.targetPort,
        identity: '',
        labels: {},
      }),
    ),
    ...(port.protocol === 'tcp' && { tcpPorts: [port.port] }),
    external: {
      name: metadata.name,
      resolution,
      ...(port.tls !== undefined && { tls: tlsOf(port.tls, host) }),
    },
  }
}

/** With the name filled in that the server has to prove: with static endpoints the address says nothing of it. */
const tlsOf = (tls: NonNullable<Port['tls']>, host: string) => ({
  ...tls,
  serverName: tls.serverName ?? host,
})

function authorities(host: string, port: number): readonly string[] {
  const written = isIP(host) === 6 ? `[${host}]` : host
  return port === HTTP_PORT ? [written, `${written}:${port}`] : [`${written}:${port}`]
}
