import { KINDS, type Kind, kindNamed, type Resource } from '@weft/schemas/resources'
import { usageError } from './errors.ts'

/** A resource as the API shows it. */
export type ResourceView = Resource & {
  readonly status?: {
    readonly source?: { readonly file: string; readonly line: number } | 'api'
    readonly kafka?: { readonly state: string; readonly message?: string }
  }
}

export interface ResourceList {
  readonly version: number
  readonly items: readonly ResourceView[]
}

/** `topic/orders`. */
export const shortName = (resource: {
  readonly kind: string
  readonly metadata: { readonly name: string }
}): string => `${resource.kind.toLowerCase()}/${resource.metadata.name}`

/** The kind that a word means, singular or plural, in any case; wrong usage with the list of kinds otherwise. */
export function parseKind(word: string): Kind {
  const kind = kindNamed(word)
  if (kind === undefined)
    throw usageError(
      `no kind ${JSON.stringify(word)}: choose one of ${KINDS.map((known) => known.toLowerCase()).join(', ')}`,
    )
  return kind
}

export const resourcePath = (kind: Kind, namespace: string, name: string): string =>
  `/api/v1/namespaces/${encodeURIComponent(namespace)}/${kind.toLowerCase()}/${encodeURIComponent(name)}`

/** The columns of each kind beside NAME: heading and cell. */
export function columnsOf(kind: Kind): readonly string[] {
  return COLUMNS[kind]
}

const COLUMNS: Readonly<Record<Kind, readonly string[]>> = {
  Service: ['SELECTOR', 'PORTS'],
  Workload: ['SERVICEACCOUNT', 'INBOUND', 'APP PORT'],
  AccessPolicy: ['TARGET', 'ACTION', 'MODE', 'RULES'],
  TrafficPolicy: ['TARGET', 'SAYS'],
  Topic: ['PARTITIONS', 'REPLICAS', 'STATE'],
  Subscription: ['TOPIC', 'SERVICE', 'PATH', 'GROUP'],
  JwtProvider: ['ISSUER', 'AUDIENCES', 'KEYS'],
  HTTPRoute: ['PARENTS', 'HOSTNAMES', 'RULES', 'BACKENDS'],
  GRPCRoute: ['PARENTS', 'HOSTNAMES', 'RULES', 'BACKENDS'],
  Gateway: ['LISTENERS'],
  ExternalService: ['HOSTS', 'PORTS', 'RESOLUTION'],
  Mesh: ['DEFAULT', 'MTLS', 'EGRESS', 'SAMPLING', 'KAFKA'],
}

/** The cells under `columnsOf` this resource's kind. */
export function cellsOf(resource: ResourceView): readonly string[] {
  switch (resource.kind) {
    case 'Service':
      return [
        labelsText(resource.spec.selector),
        resource.spec.ports.map(({ port, protocol }) => `${port}/${protocol}`).join(','),
      ]
    case 'Workload': {
      const { serviceAccount, address, inboundPort, appPort } = resource.spec
      return [serviceAccount, `${address}:${inboundPort}`, String(appPort ?? '')]
    }
    case 'AccessPolicy': {
      const { target, action, mode, rules } = resource.spec
      return [targetText(target), action, mode, String(rules.length)]
    }
    case 'TrafficPolicy': {
      const { target, ...said } = resource.spec
      return [targetText(target), Object.keys(said).join(',')]
    }
    case 'Topic': {
      const { partitions, replicationFactor } = resource.spec
      return [String(partitions), String(replicationFactor), resource.status?.kafka?.state ?? '']
    }
    case 'Subscription': {
      const { topic, service, path, group } = resource.spec
      return [topic, service, path ?? '(stream)', group]
    }
    case 'JwtProvider': {
      const { issuer, audiences, jwks } = resource.spec
      return [issuer, audiences.join(','), 'inline' in jwks ? 'inline' : 'uri' in jwks ? jwks.uri : jwks.file]
    }
    case 'Gateway':
      return [
        resource.spec.listeners
          .map(({ protocol, hostname = '*', port }) => `${protocol.toLowerCase()}://${hostname}:${port}`)
          .join(','),
      ]
    case 'ExternalService': {
      const { hosts, ports, resolution } = resource.spec
      return [
        hosts.join(','),
        ports
          .map(({ port, targetPort, tls }) => `${port}→${targetPort}${tls === undefined ? '' : '/tls'}`)
          .join(','),
        resolution,
      ]
    }
    case 'Mesh': {
      const { defaultAction, mtls, egress, tracing, kafka } = resource.spec
      const brokers = kafka?.bootstrapServers.join(',') ?? ''
      return [defaultAction, mtls, egress, String(tracing.samplingRatio), brokers]
    }
    case 'HTTPRoute':
    case 'GRPCRoute': {
      const { parentRefs, hostnames, rules } = resource.spec
      const backends = rules.flatMap(({ backendRefs }) => backendRefs.map(({ name }) => name))
      return [
        parentRefs.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`).join(','),
        hostnames.join(','),
        String(rules.length),
        [...new Set(backends)].join(','),
      ]
    }
  }
}

const targetText = (target: object): string =>
  Object.entries(target)
    .map(([key, value]) => (value === true ? key : `${key}/${value}`))
    .join(',')

export const labelsText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** Where it was read from. */
export function sourceText({ status }: ResourceView): string {
  const source = status?.source
  if (source === undefined || source === 'api') return source ?? ''
  return `${source.file}:${source.line}`
}

/** `app=shop,tier!=web,canary`: all of them have to hold. Throws on what is none of these forms. */
export function parseSelector(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const terms = text.split(',').map((term) => {
    const [, key = '', operator, value = ''] = /^([\w./-]+)(?:(==?|!=)([\w.-]*))?$/.exec(term.trim()) ?? []
    if (key === '')
      throw usageError(
        `-l: expected key=value, key!=value or key, with commas between, came ${JSON.stringify(term)}`,
      )
    return { key, operator, value }
  })
  return (labels) =>
    terms.every(({ key, operator, value }) => {
      if (operator === undefined) return Object.hasOwn(labels, key)
      return operator === '!=' ? labels[key] !== value : labels[key] === value
    })
}
