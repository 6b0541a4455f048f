import { DEFAULT_SERVICE_PORT, DEFAULT_SERVICE_PROTOCOL } from '../defaults.ts'
import { type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { entries, type KindDefinition, member } from './definition.ts'
import { labels, list, map, oneOf, port, resource, text } from './shapes.ts'

const spec = map(
  {
    selector: { ...labels('Workloads of this namespace that have all of these labels.'), minProperties: 1 },
    ports: list(
      map({
        name: text('dns-label', 'For people; unique in the service.'),
        port: { ...port('What callers write after the host.'), default: DEFAULT_SERVICE_PORT },
        protocol: {
          ...oneOf(
            ['http', 'http2', 'grpc', 'tcp'],
            'What the app speaks: HTTP/1.1, HTTP/2 or gRPC in plain text on loopback, or bytes that are not read.',
          ),
          default: DEFAULT_SERVICE_PROTOCOL,
        },
        targetPort: port(
          'Where the app listens on loopback, for protocol tcp; the same as port where absent.',
        ),
      }),
      'One port, 80 for http, where absent.',
      64,
    ),
    addresses: list(
      text('ip', 'An IP address.'),
      'Addresses that mean this service beside its name; for callers whose traffic is captured.',
      16,
    ),
  },
  ['selector'],
)

/** The last label of a host name, so no dots. */
const name = text('dns-label', 'The host name that callers use.')

export const service: KindDefinition<'Service'> = {
  kind: 'Service',
  plural: 'services',
  schema: resource({ kind: 'Service', spec, name }),
  check: (input) => [
    ...repeated(input, 'port', DEFAULT_SERVICE_PORT),
    ...repeated(input, 'name', undefined),
    ...targetFaults(input),
  ],
  complete: ({ spec: { selector, ports, addresses } }) => ({
    selector,
    ports: (ports ?? [{}]).map(({ name, port = DEFAULT_SERVICE_PORT, protocol, targetPort }) => ({
      ...(name !== undefined && { name }),
      port,
      protocol: protocol ?? DEFAULT_SERVICE_PROTOCOL,
      ...(protocol === 'tcp' && { targetPort: targetPort ?? port }),
    })),
    ...(addresses !== undefined && { addresses }),
  }),
}

/** The app of an http service is where its sidecar was told; a port here would be silently dead. */
function targetFaults(input: unknown): readonly LocatedFault[] {
  return entries(member(member(input, 'spec'), 'ports'))
    .filter(([, entry]) => member(entry, 'targetPort') !== undefined && member(entry, 'protocol') !== 'tcp')
    .map(([index, entry]) =>
      locatedFault({
        at: ['spec', 'ports', index, 'targetPort'],
        expected: 'targetPort only beside protocol tcp',
        came: showValue(member(entry, 'protocol') ?? DEFAULT_SERVICE_PROTOCOL),
        onKey: true,
      }),
    )
}

function repeated(input: unknown, key: 'port' | 'name', fallback: unknown): readonly LocatedFault[] {
  const seen = new Set<unknown>()
  const faults: LocatedFault[] = []
  for (const [index, entry] of entries(member(member(input, 'spec'), 'ports'))) {
    const value = member(entry, key) ?? fallback
    if (value !== undefined && seen.has(value))
      faults.push(
        locatedFault({
          at: ['spec', 'ports', index, key],
          expected: `each ${key} once`,
          came: `${showValue(value)} again`,
        }),
      )
    seen.add(value)
  }
  return faults
}
