import type { Command } from 'commander'
import type { ControlPlaneClient } from '../client.ts'
import { document } from '../document.ts'
import { type Fault, formatFault } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io, Screen } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { age, renderTable } from '../output/table.ts'
import type { Outcome } from '../program.ts'
import type { ResourceList } from '../resource-views.ts'
import { clientFor, findTarget, type GlobalOptions, globals } from '../settings.ts'
import { callMesh, type MeshView, type ServiceView } from '../up/control-socket.ts'
import { next } from '../words.ts'

export function addStatus(program: Command, io: Io, outcome: Outcome): void {
  const command = program.command('status').action(async (_options: unknown, self: Command) => {
    outcome.exitCode = await status(io, globals(self))
  })
  document(command, {
    description:
      'Is all well? Control plane, sidecars and what they work with, topics, faults of resource files.',
    examples: [
      ['weft status', 'exit code 1 if anything is not well'],
      ['weft status -o json', 'for a script'],
    ],
    notes:
      'JSON: {"healthy", "controlPlane": {"url", "ready", "version"}, "sidecars": [{"namespace", "workload", "identity",\n"state": "ready|behind|refused|missing", "sentVersion", "ackedVersion", "reason"?}], "topics": [{"name", "state", "message"?}],\n"services": [{"name", "state", "pid"?}], "faults": […], "warnings": […], "problems": ["…"]}. services: of a local `weft up`.',
  })
}

interface SidecarRow {
  readonly workload: string
  readonly namespace: string
  readonly identity: string
  readonly connectedSince?: string
  readonly sentVersion: number
  readonly ackedVersion: number
  readonly nack?: { readonly version: number; readonly reason: string }
}

interface SidecarState {
  readonly namespace: string
  readonly workload: string
  readonly identity: string
  readonly state: 'ready' | 'behind' | 'refused' | 'missing'
  readonly connectedSince?: string
  readonly sentVersion: number
  readonly ackedVersion: number
  readonly reason?: string
}

interface TopicState {
  readonly name: string
  readonly state: string
  readonly message?: string
}

interface Status {
  readonly healthy: boolean
  readonly controlPlane: { readonly url: string; readonly ready: boolean; readonly version: number }
  readonly sidecars: readonly SidecarState[]
  readonly topics: readonly TopicState[]
  readonly services: readonly ServiceView[]
  readonly faults: readonly Fault[]
  readonly warnings: readonly Fault[]
  readonly problems: readonly string[]
}

async function status(io: Io, options: GlobalOptions): Promise<number> {
  const format = pickFormat(options.output, ['table', 'wide', 'json'])
  const target = await findTarget(io, options)
  const { context } = target
  const services =
    context === undefined
      ? []
      : await callMesh<MeshView>(context.socketPath, 'GET', '/').then(
          (mesh) => mesh.services,
          () => [],
        )
  const found = await gather(clientFor(target, options), services)
  if (format === 'json') io.out.write(toJson(found))
  else {
    show(io.out, found)
    next(io, options, found.healthy ? 'weft trace' : 'look at what is marked above')
  }
  return found.healthy ? EXIT.ok : EXIT.failed
}

/** Asks everything and judges it. */
async function gather(client: ControlPlaneClient, services: readonly ServiceView[]): Promise<Status> {
  const ready = (await client.status('/ready')) === 200
  const [{ version, items }, connected, { faults, warnings }] = await Promise.all([
    client.get<ResourceList>('/api/v1/resources'),
    client.get<readonly SidecarRow[]>('/api/v1/sidecars'),
    client.get<{ faults: readonly Fault[]; warnings: readonly Fault[] }>('/api/v1/faults'),
  ])
  const sidecars = sidecarStates(items, connected)
  const topics = items
    .filter((item) => item.kind === 'Topic')
    .map(({ metadata, status: known }) => ({
      name: metadata.name,
      state: known?.kafka?.state ?? 'unknown',
      ...(known?.kafka?.message !== undefined && { message: known.kafka.message }),
    }))
  const url = client.url
  const seen = { controlPlane: { url, ready, version }, sidecars, topics, services, faults, warnings }
  const problems = problemsOf(seen)
  return { healthy: problems.length === 0, ...seen, problems }
}

/** Every Workload and every sidecar that is connected, by name. Pure. */
export function sidecarStates(
  items: ResourceList['items'],
  connected: readonly SidecarRow[],
): readonly SidecarState[] {
  const rows = connected.map(
    ({ workload, namespace, identity, connectedSince, sentVersion, ackedVersion, nack }) => ({
      namespace,
      workload,
      identity,
      state:
        nack !== undefined
          ? ('refused' as const)
          : ackedVersion < sentVersion
            ? ('behind' as const)
            : ('ready' as const),
      sentVersion,
      ackedVersion,
      ...(connectedSince !== undefined && { connectedSince }),
      ...(nack !== undefined && { reason: `version ${nack.version}: ${nack.reason}` }),
    }),
  )
  const missing = items
    .filter((item) => item.kind === 'Workload')
    .filter(
      ({ metadata }) =>
        !rows.some((row) => row.workload === metadata.name && row.namespace === metadata.namespace),
    )
    .map(({ metadata, spec }) => ({
      namespace: metadata.namespace,
      workload: metadata.name,
      identity: spec.serviceAccount,
      state: 'missing' as const,
      sentVersion: 0,
      ackedVersion: 0,
      reason: 'its sidecar is not connected',
    }))
  return [...rows, ...missing].sort((a, b) =>
    compare(`${a.namespace}/${a.workload}`, `${b.namespace}/${b.workload}`),
  )
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function problemsOf({
  controlPlane,
  sidecars,
  topics,
  services,
  faults,
}: Omit<Status, 'healthy' | 'problems'>): string[] {
  return [
    ...(controlPlane.ready ? [] : ['the control plane is not ready']),
    ...sidecars
      .filter(({ state }) => state !== 'ready')
      .map(
        ({ namespace, workload, state, reason }) =>
          `sidecar ${namespace}/${workload} is ${state}${reason === undefined ? '' : `: ${reason}`}`,
      ),
    ...topics
      .filter(({ state }) => state !== 'ready')
      .map(
        ({ name, state, message }) =>
          `topic ${name} is ${state}${message === undefined ? '' : `: ${message}`}`,
      ),
    ...services
      .filter(({ state }) => state !== 'ready')
      .map(({ name, state }) => `service ${name} is ${state}`),
    ...faults.map((fault) => `fault in a resource file: ${formatFault(fault)}`),
  ]
}

function show(out: Screen, { controlPlane, sidecars, topics, services, warnings, problems }: Status): void {
  const mark = (isWell: boolean, text: string) =>
    out.paint(isWell ? 'green' : 'red', `${isWell ? '√' : '✕'} ${text}`)
  out.write(
    `${mark(controlPlane.ready, 'control plane')}  ${controlPlane.url}  resources at version ${controlPlane.version}\n`,
  )
  section(
    out,
    ['SIDECAR', 'STATE', 'VERSION', 'CONNECTED', 'IDENTITY'],
    sidecars.map(({ workload, state, ackedVersion, sentVersion, connectedSince, identity }) => [
      workload,
      mark(state === 'ready', state),
      ackedVersion === sentVersion ? String(ackedVersion) : `${ackedVersion} of ${sentVersion}`,
      connectedSince === undefined ? '' : age(connectedSince),
      identity,
    ]),
  )
  section(
    out,
    ['SERVICE', 'STATE', 'PID'],
    services.map(({ name, state, pid }) => [name, mark(state === 'ready', state), String(pid ?? '')]),
  )
  section(
    out,
    ['TOPIC', 'STATE'],
    topics.map(({ name, state }) => [name, mark(state === 'ready', state)]),
  )
  for (const warning of warnings) out.write(`\n${out.paint('yellow', 'warning')}  ${formatFault(warning)}\n`)
  out.write(
    `\n${problems.length === 0 ? mark(true, 'all is well') : problems.map((problem) => mark(false, problem)).join('\n')}\n`,
  )
}

function section(out: Screen, headings: readonly string[], rows: readonly (readonly string[])[]): void {
  if (rows.length > 0) out.write(`\n${renderTable(headings, rows)}`)
}
