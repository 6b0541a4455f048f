import { MeshError } from '@weft/schemas/error'
import { KINDS, type Kind, kindNamed, type PositionedFault } from '@weft/schemas/resources'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { TopicStatus } from '../../reconcile/index.ts'
import {
  RefusedResources,
  type ResourceName,
  type ResourceStore,
  type StoredResource,
} from '../../source/index.ts'
import { type ResourceBody, readBody, registerResourceParsers } from './resource-body.ts'

export interface ResourceRoutesOptions {
  readonly store: ResourceStore
  /** What is known of a topic in Kafka, by its name there. */
  readonly topicStatus: (topic: string) => TopicStatus
}

interface Query {
  readonly dryRun?: unknown
  readonly kind?: unknown
  readonly namespace?: unknown
}
type NamedParams = { readonly namespace: string; readonly kind: string; readonly name: string }

/** The resource API below /api/v1. A scope of its own: bodies are read as text here. */
export function registerResourceRoutes(app: FastifyInstance, options: ResourceRoutesOptions): void {
  void app.register(async (scope) => {
    registerResourceParsers(scope)
    registerCollection(scope, options)
    registerSingle(scope, options)
    scope.get('/api/v1/faults', () => ({
      faults: options.store.faults(),
      warnings: options.store.warnings(),
    }))
  })
}

function registerCollection(scope: FastifyInstance, options: ResourceRoutesOptions): void {
  const { store } = options
  scope.get<{ Querystring: Query }>('/api/v1/resources', (request) => {
    const kind = oneText('kind', request.query.kind)
    const namespace = oneText('namespace', request.query.namespace)
    const wanted = kind === undefined ? undefined : kindOf(kind, 'invalid_request')
    const items = store
      .stored()
      .filter(({ resource }) => wanted === undefined || resource.kind === wanted)
      .filter(({ resource }) => namespace === undefined || resource.metadata.namespace === namespace)
    return { version: store.version(), items: items.map((stored) => view(stored, options)) }
  })

  scope.post<{ Querystring: Query }>('/api/v1/resources', async (request, reply) => {
    const result = await write(store, request, readBody(request.body), 'create')
    return await reply.code(isDryRun(request.query) ? 200 : 201).send(result)
  })

  scope.put<{ Querystring: Query }>('/api/v1/resources', (request) =>
    write(store, request, readBody(request.body), 'replace'),
  )
}

function registerSingle(scope: FastifyInstance, options: ResourceRoutesOptions): void {
  const { store } = options
  const url = '/api/v1/namespaces/:namespace/:kind/:name'

  scope.get<{ Params: NamedParams }>(url, (request, reply) => {
    const name = nameOf(request.params)
    const stored = store.find(name)
    if (stored === undefined) throw missing(name)
    void reply.header('etag', stored.etag)
    if (request.headers['if-none-match'] === stored.etag) return reply.code(304).send()
    return reply.send(view(stored, options))
  })

  scope.put<{ Params: NamedParams; Querystring: Query }>(url, async (request, reply) => {
    const name = nameOf(request.params)
    const body = readBody(request.body)
    refuseOthers(body, name)
    const result = await write(store, request, body, 'replace')
    const etag = isDryRun(request.query) ? undefined : store.find(name)?.etag
    if (etag !== undefined) void reply.header('etag', etag)
    const isNew = result.results.some((each) => each.result === 'created') && !isDryRun(request.query)
    return await reply.code(isNew ? 201 : 200).send(result)
  })

  scope.delete<{ Params: NamedParams }>(url, async (request) => {
    const ifMatch = request.headers['if-match']
    return await store.remove(nameOf(request.params), ifMatch === undefined ? {} : { ifMatch })
  })
}

function write(
  store: ResourceStore,
  request: FastifyRequest<{ Querystring: Query }>,
  body: ResourceBody,
  mode: 'create' | 'replace',
): ReturnType<ResourceStore['put']> {
  const ifMatch = request.headers['if-match']
  if (ifMatch !== undefined && body.resources.length !== 1)
    throw new MeshError('invalid_request', 'If-Match goes with one resource')
  return store.put({
    ...body,
    mode,
    dryRun: isDryRun(request.query),
    ...(ifMatch !== undefined && { ifMatch }),
  })
}

function view({ resource, source }: StoredResource, { topicStatus }: ResourceRoutesOptions) {
  const kafka = resource.kind === 'Topic' ? topicStatus(resource.spec.name) : undefined
  return { ...resource, status: { source, ...(kafka !== undefined && { kafka }) } }
}

function nameOf({ namespace, kind, name }: NamedParams): ResourceName {
  return { kind: kindOf(kind, 'not_found'), namespace, name }
}

function kindOf(name: string, otherwise: 'not_found' | 'invalid_request'): Kind {
  const kind = kindNamed(name)
  if (kind === undefined)
    throw new MeshError(
      otherwise,
      `expected a kind, one of ${KINDS.join(', ')}, came ${JSON.stringify(name.slice(0, 100))}`,
    )
  return kind
}

const missing = ({ kind, namespace, name }: ResourceName): MeshError =>
  new MeshError('not_found', `there is no ${kind} ${namespace}/${name}`)

/** One resource goes to its own address only. */
function refuseOthers({ resources, locate }: ResourceBody, name: ResourceName): void {
  const [read, ...more] = resources
  if (read === undefined) return
  const { kind, metadata } = read.resource
  const faults: PositionedFault[] = []
  const expect = (path: string, at: readonly string[], expected: string, came: string): void => {
    if (expected === came) return
    const said = `${JSON.stringify(expected)}, as in the address`
    faults.push({
      ...locate(read, at),
      path,
      expected: said,
      came: JSON.stringify(came),
      message: `${path}: expected ${said}, came ${JSON.stringify(came)}`,
    })
  }
  expect('kind', ['kind'], name.kind, kind)
  expect('metadata.namespace', ['metadata', 'namespace'], name.namespace, metadata.namespace)
  expect('metadata.name', ['metadata', 'name'], name.name, metadata.name)
  for (const other of more) {
    const expected = 'one resource'
    faults.push({
      ...locate(other, []),
      path: '',
      expected,
      came: 'another',
      message: 'expected one resource, came another',
    })
  }
  if (faults.length > 0) throw new RefusedResources(faults)
}

/** A misspelt wish for a dry run must not write. */
function isDryRun({ dryRun }: Query): boolean {
  if (dryRun === undefined || dryRun === 'false') return false
  if (dryRun === 'true' || dryRun === '') return true
  throw new MeshError('invalid_request', 'expected dryRun to be true or false')
}

function oneText(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value === '' ? undefined : value
  throw new MeshError('invalid_request', `expected ${name} once`)
}
