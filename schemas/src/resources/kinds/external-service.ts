import { DEFAULT_EXTERNAL_RESOLUTION, DEFAULT_SERVICE_PORT } from '../defaults.ts'
import { type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { entries, type KindDefinition, member } from './definition.ts'
import { exactlyOne, list, map, oneOf, port, resource, text } from './shapes.ts'

const MAX_PEM_CHARACTERS = 262_144

const filePath = (description: string) => ({ type: 'string', minLength: 1, maxLength: 1024, description })

const tls = map({
  serverName: text(
    'host',
    'SNI, and the name that the server proves; the host that was asked for where absent.',
  ),
  ca: exactlyOne({
    inline: {
      type: 'string',
      minLength: 1,
      maxLength: MAX_PEM_CHARACTERS,
      description: 'Certificates in PEM.',
    },
    file: filePath('A PEM file of the host of the sidecar.'),
  }),
  clientCertificate: map(
    {
      certificateFile: filePath('A PEM file of the host of the sidecar.'),
      privateKeyFile: filePath('A PEM file of the host of the sidecar.'),
    },
    ['certificateFile', 'privateKeyFile'],
  ),
})

/** A TrafficPolicy names it as it names a Service. */
const name = text('dns-label', 'By which policies speak of it.')

const spec = map(
  {
    hosts: list(text('external-host', 'A host name or IP address.'), 'What apps write as host.', 64),
    ports: list(
      map({
        port: { ...port('What apps write after the host.'), default: DEFAULT_SERVICE_PORT },
        targetPort: port('Where the server listens; the port where absent.'),
        protocol: {
          ...oneOf(
            ['http', 'tcp'],
            'tcp: carried unread, as TLS that the app begins itself; asked for by CONNECT.',
          ),
          default: 'http',
        },
        tls: { ...tls, description: 'TLS begins at the sidecar; plain text where absent.' },
      }),
      'One port, 80, where absent.',
      64,
    ),
    resolution: {
      ...oneOf(['dns', 'static'], 'dns: the hosts are looked up. static: the endpoints say where.'),
      default: DEFAULT_EXTERNAL_RESOLUTION,
    },
    endpoints: list(
      map({ address: text('ip', 'An IP address.'), port: port('The targetPort where absent.') }, ['address']),
      'For resolution static.',
    ),
  },
  ['hosts'],
)

export const externalService: KindDefinition<'ExternalService'> = {
  kind: 'ExternalService',
  plural: 'externalservices',
  schema: resource({ kind: 'ExternalService', spec, name }),
  check: (input) => [...endpointFaults(member(input, 'spec')), ...portFaults(member(input, 'spec'))],
  complete: ({ spec: { hosts, ports, resolution, endpoints } }) => ({
    hosts,
    ports: (ports ?? [{}]).map(
      ({ port: asked = DEFAULT_SERVICE_PORT, targetPort = asked, protocol = 'http', tls: given }) => ({
        port: asked,
        targetPort,
        protocol,
        ...(given !== undefined && { tls: given }),
      }),
    ),
    resolution: resolution ?? DEFAULT_EXTERNAL_RESOLUTION,
    endpoints: endpoints ?? [],
  }),
}

/** Endpoints that nobody looks at would be a resource that seems to pin addresses and does not. */
function endpointFaults(spec: unknown): readonly LocatedFault[] {
  const isStatic = member(spec, 'resolution') === 'static'
  const endpoints = member(spec, 'endpoints')
  const at = ['spec', 'endpoints']
  if (isStatic && endpoints === undefined)
    return [locatedFault({ at, expected: 'endpoints beside resolution static', came: 'nothing' })]
  if (isStatic || endpoints === undefined) return []
  return [locatedFault({ at, expected: 'endpoints only with resolution static', came: 'them', onKey: true })]
}

function portFaults(spec: unknown): readonly LocatedFault[] {
  const seen = new Set<unknown>()
  return entries(member(spec, 'ports')).flatMap(([index, entry]) => {
    if (member(entry, 'protocol') === 'tcp' && member(entry, 'tls') !== undefined)
      return [
        locatedFault({
          at: ['spec', 'ports', index, 'tls'],
          expected: 'tls only with protocol http, since what is carried unread is not touched',
          came: 'it',
          onKey: true,
        }),
      ]
    const asked = member(entry, 'port') ?? DEFAULT_SERVICE_PORT
    if (!seen.has(asked)) {
      seen.add(asked)
      return []
    }
    const at = ['spec', 'ports', index, 'port']
    return [locatedFault({ at, expected: 'each port once', came: `${showValue(asked)} again` })]
  })
}
