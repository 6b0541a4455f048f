import { type LocatedFault, locatedFault, showValue } from '../fault.ts'
import type { GatewaySpec } from '../specs/gateway.ts'
import { entries, isMap, type KindDefinition, member } from './definition.ts'
import { list, map, oneOf, port, resource, text } from './shapes.ts'

/** The Gateway API's own limit. */
const MAX_LISTENERS = 64
export const MAX_BODY_BYTES = 'mesh.weft.dev/max-body-bytes'
export const MAX_HEAD_BYTES = 'mesh.weft.dev/max-head-bytes'

const reference = (kind: string, description: string) =>
  map(
    {
      group: { ...oneOf([''], 'The core group.'), default: '' },
      kind: { ...oneOf([kind], 'Its kind.'), default: kind },
      name: text('dns-name', description),
    },
    ['name'],
  )

const tls = map({
  mode: { ...oneOf(['Terminate'], 'TLS ends at the gateway.'), default: 'Terminate' },
  certificateRefs: list(
    reference(
      'Secret',
      'Standalone: the folder of this name below WEFT_GATEWAY_CERTIFICATES, with tls.crt and tls.key.',
    ),
    'One certificate, in several kinds of key.',
    8,
  ),
  frontendValidation: map(
    {
      caCertificateRefs: list(
        reference(
          'ConfigMap',
          'Standalone: the folder of this name below WEFT_GATEWAY_CERTIFICATES, with ca.crt.',
        ),
        'Callers have to prove a certificate of one of these authorities.',
        8,
      ),
    },
    ['caCertificateRefs'],
  ),
})

const listener = map(
  {
    name: text('dns-name', 'What sectionName of a route means.'),
    port: port('Where the gateway listens.'),
    protocol: oneOf(['HTTP', 'HTTPS'], 'In plain text, or over TLS.'),
    hostname: text('hostname-pattern', 'A host that is served here; any where absent.'),
    tls,
    allowedRoutes: map({
      namespaces: map({
        from: { ...oneOf(['Same', 'All'], 'Where routes may come from.'), default: 'Same' },
      }),
    }),
  },
  ['name', 'port', 'protocol'],
)

const byteCount = (description: string) => text('byte-count', description)

const spec = map(
  {
    gatewayClassName: oneOf(['weft'], 'Whose Gateway it is.'),
    listeners: list(listener, 'Where the gateway listens.', MAX_LISTENERS),
    infrastructure: map({
      annotations: map({
        [MAX_BODY_BYTES]: byteCount('Largest body of a request; no limit where absent.'),
        [MAX_HEAD_BYTES]: byteCount('Largest head of a request; 32768 where absent.'),
      }),
    }),
  },
  ['gatewayClassName', 'listeners'],
)

export const gateway: KindDefinition<'Gateway'> = {
  kind: 'Gateway',
  plural: 'gateways',
  schema: resource({ kind: 'Gateway', spec }),
  check: (input) => {
    const listeners = entries(member(member(input, 'spec'), 'listeners'))
    return [...listeners.flatMap(([index, entry]) => tlsFaults(entry, index)), ...claimFaults(listeners)]
  },
  complete: ({ spec: given }) => ({
    gatewayClassName: given.gatewayClassName,
    listeners: given.listeners.map(({ tls: givenTls, allowedRoutes, ...rest }) => ({
      ...rest,
      allowedRoutes: { namespaces: { from: allowedRoutes?.namespaces?.from ?? 'Same' } },
      ...(givenTls !== undefined && { tls: completeTls(givenTls) }),
    })),
    infrastructure: { annotations: given.infrastructure?.annotations ?? {} },
  }),
}

type Tls = NonNullable<GatewaySpec['listeners'][number]['tls']>

const completeTls = ({ certificateRefs = [], frontendValidation }: Partial<Tls>): Tls => ({
  mode: 'Terminate',
  certificateRefs: certificateRefs.map(({ name }) => ({ name })),
  ...(frontendValidation !== undefined && {
    frontendValidation: {
      caCertificateRefs: frontendValidation.caCertificateRefs.map(({ name }) => ({ name })),
    },
  }),
})

function tlsFaults(listenerInput: unknown, index: number): readonly LocatedFault[] {
  if (!isMap(listenerInput)) return []
  const { protocol, tls: givenTls } = listenerInput
  const at = ['spec', 'listeners', index, 'tls']
  if (protocol === 'HTTP' && givenTls !== undefined)
    return [locatedFault({ at, expected: 'no tls with protocol HTTP', came: 'it', onKey: true })]
  if (protocol !== 'HTTPS' || member(givenTls, 'certificateRefs') !== undefined) return []
  return [
    locatedFault({
      at: [...at, 'certificateRefs'],
      expected: 'a certificate for protocol HTTPS',
      came: 'none',
    }),
  ]
}

/** What the Gateway API calls distinct: port and hostname once, names once, and one protocol a port. */
function claimFaults(listeners: ReturnType<typeof entries>): readonly LocatedFault[] {
  const names = new Set<unknown>()
  const hosts = new Set<string>()
  const protocols = new Map<unknown, unknown>()
  const faults: LocatedFault[] = []
  for (const [index, entry] of listeners) {
    const [name, at, protocol, hostname] = ['name', 'port', 'protocol', 'hostname'].map((key) =>
      member(entry, key),
    )
    const path = ['spec', 'listeners', index]
    const host = `${showValue(hostname ?? '*')} on port ${showValue(at)}`
    if (names.has(name))
      faults.push(
        locatedFault({ at: [...path, 'name'], expected: 'each name once', came: `${showValue(name)} again` }),
      )
    if (hosts.has(host))
      faults.push(
        locatedFault({
          at: [...path, 'hostname'],
          expected: 'each host of a port once',
          came: `${host} again`,
        }),
      )
    if ((protocols.get(at) ?? protocol) !== protocol)
      faults.push(
        locatedFault({
          at: [...path, 'protocol'],
          expected: 'one protocol a port',
          came: `a second one on ${showValue(at)}`,
        }),
      )
    names.add(name)
    hosts.add(host)
    protocols.set(at, protocol)
  }
  return faults
}
