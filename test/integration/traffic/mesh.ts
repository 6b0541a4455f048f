/**
 * A mesh in this process: real sidecars with real certificates, one in front of each app and one of the caller, and what
 * YAML says of it, translated as the control plane does.
 */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { trace } from '@opentelemetry/api'
import { createLog } from '@weft/schemas/node/log'
import { createMetrics, type Metrics } from '@weft/schemas/node/metrics'
import { type Resource, readResources } from '@weft/schemas/resources'
import type { Snapshot } from '@weft/schemas/snapshot'
import { spiffeId } from '@weft/schemas/spiffe'
import { translate } from '../../../control-plane/src/translate/index.ts'
import { startInbound } from '../../../sidecar/src/inbound/index.ts'
import {
  createAuthority,
  type TestAuthority,
  TestIdentity,
} from '../../../sidecar/src/listen/certificates.test-support.ts'
import type { Listener } from '../../../sidecar/src/listen/index.ts'
import { type Answer, type CallOptions, call } from '../../../sidecar/src/outbound/calling.test-support.ts'
import { startOutbound } from '../../../sidecar/src/outbound/index.ts'
import { Snapshots } from '../../process/workload.ts'

const TRUST_DOMAIN = 'weft.local'
const NAMESPACE = 'default'

interface MeshOptions {
  /** By name of workload, Service and service account: each app has a sidecar of its own. */
  readonly apps: Readonly<Record<string, RequestListener>>
  /** Service account of the one who calls. */
  readonly caller?: string
  /** Routes, policies, more Services… With neither Mesh nor AccessPolicy in it everything is allowed. */
  readonly yaml?: string
}

export interface Mesh extends AsyncDisposable {
  readonly metrics: Metrics
  /** Through the sidecar of the caller; `host` is a Service. */
  call(options: CallOptions & { readonly host: string }): Promise<Answer>
  /** The head of the answer to a gRPC call, over HTTP/2 in plain text as gRPC clients do. */
  callGrpc(host: string, path: string): Promise<IncomingHttpHeaders & IncomingHttpStatusHeader>
  /** Puts other resources in force. */
  change(yaml: string): void
}

interface RunningApp {
  readonly name: string
  readonly app: Server
  readonly inbound: Listener
  readonly snapshots: Snapshots
}

const OPEN = `apiVersion: mesh.weft.dev/v1
kind: Mesh
metadata: { name: mesh }
spec: { defaultAction: allow }
`

export async function startMesh({ apps, caller = 'caller', yaml = '' }: MeshOptions): Promise<Mesh> {
  const authority = await createAuthority()
  const metrics = createMetrics()
  const log = createLog('test')
  log.level = 'silent'
  const shared = { metrics, log, tracer: trace.getTracer('test'), host: '127.0.0.1', port: 0 }
  const running = await Promise.all(
    Object.entries(apps).map(([name, listener]) => startApp(name, listener, { authority, shared })),
  )
  const callerSnapshots = new Snapshots({})
  const change = (text: string): void => {
    const resources = resourcesOf(text, running)
    const snapshotFor = (name: string): Snapshot => ({
      version: 1,
      ...translate(resources, TRUST_DOMAIN, {
        identity: spiffeId(TRUST_DOMAIN, NAMESPACE, name),
        workload: name,
      }),
    })
    for (const { name, snapshots } of running) snapshots.replace(snapshotFor(name))
    callerSnapshots.replace(snapshotFor(caller))
  }
  change(yaml)
  const identity = new TestIdentity(await authority.issue(caller))
  const outbound = await startOutbound({ ...shared, snapshots: callerSnapshots, identity })
  return {
    metrics,
    change,
    call: (options) => call(outbound.port, options),
    callGrpc: (host, path) => callGrpc(outbound.port, host, path),
    async [Symbol.asyncDispose]() {
      await Promise.all([outbound.drain(0), ...running.map(({ inbound }) => inbound.drain(0))])
      for (const { app } of running) {
        app.close()
        app.closeAllConnections()
      }
    },
  }
}

async function callGrpc(port: number, host: string, path: string) {
  const session = connect(`http://127.0.0.1:${port}`)
  try {
    const headers = {
      ':method': 'POST',
      ':path': path,
      ':authority': host,
      'content-type': 'application/grpc',
      te: 'trailers',
    }
    const stream = session.request(headers).end()
    const [answer] = (await once(stream, 'response')) as [IncomingHttpHeaders & IncomingHttpStatusHeader]
    stream.resume()
    await once(stream, 'close')
    return answer
  } finally {
    session.close()
  }
}

interface AppParts {
  readonly authority: TestAuthority
  readonly shared: Omit<Parameters<typeof startInbound>[0], 'snapshots' | 'identity' | 'appPort'>
}

async function startApp(
  name: string,
  listener: RequestListener,
  { authority, shared }: AppParts,
): Promise<RunningApp> {
  const app = createServer(listener).listen(0, '127.0.0.1')
  await once(app, 'listening')
  const snapshots = new Snapshots({})
  const identity = new TestIdentity(await authority.issue(name))
  const { port } = app.address() as AddressInfo
  const inbound = await startInbound({ ...shared, snapshots, identity, appPort: port })
  return { name, app, inbound, snapshots }
}

/** What was written, a Workload for each app, and a Service for each that has none. */
function resourcesOf(yaml: string, running: readonly RunningApp[]): readonly Resource[] {
  const written = read(yaml)
  const services = new Set(written.flatMap(({ kind, metadata }) => (kind === 'Service' ? metadata.name : [])))
  const own = running.flatMap(({ name, inbound }) => [
    `apiVersion: mesh.weft.dev/v1
kind: Workload
metadata: { name: ${name}, labels: { app: ${name} } }
spec: { serviceAccount: ${name}, inboundPort: ${inbound.port} }
`,
    ...(services.has(name)
      ? []
      : [
          `apiVersion: mesh.weft.dev/v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} } }
`,
        ]),
  ])
  const isOpen = !written.some(({ kind }) => kind === 'Mesh' || kind === 'AccessPolicy')
  return [...written, ...read([...own, ...(isOpen ? [OPEN] : [])].join('---\n'))]
}

function read(yaml: string): readonly Resource[] {
  const { resources, faults } = readResources(yaml, 'test')
  if (faults.length > 0) throw new Error(faults.map(({ message }) => message).join('\n'))
  return resources.map(({ resource }) => resource)
}
