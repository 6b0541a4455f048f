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
      }),
      'One port, 80 for http, where absent.',
      64,
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
  check: (input) => [...repeated(input, 'port', DEFAULT_SERVICE_PORT), ...repeated(input, 'name', undefined)],
  complete: ({ spec: { selector, ports } }) => ({
    selector,
    ports: (ports ?? [{}]).map((entry) => ({
      ...(entry.name !== undefined && { name: entry.name }),
      port: entry.port ?? DEFAULT_SERVICE_PORT,
      protocol: entry.protocol ?? DEFAULT_SERVICE_PROTOCOL,
    })),
  }),
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
