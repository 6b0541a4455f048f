/** Each thing of the graph with its label, its state and its spoken name. Pure. */
import type { Graph, GraphNode, ServiceNode, TopicNode } from '../../../telemetry/types.ts'
import { count, duration, rate, share } from '../parts/format.ts'
import { words } from '../strings.ts'
import {
  type Call,
  type Column,
  type Knot,
  keyOf,
  type MergedEdge,
  type Row,
  type State,
} from './fact-types.ts'
import { shownName } from './names.ts'

/** A group that is this far behind does not keep up; below it, it is a batch on its way. */
const LAG_WARN = 100

export function describeService(node: Exclude<GraphNode, TopicNode>, knots: readonly Knot[]): Column {
  if (node.kind === 'ingress') {
    const { name, kind } = node
    return { name, kind, detail: words.ingressDetail, state: 'ok', spoken: words.spokenIngress }
  }
  const isBehind = knots.some(
    (knot) => knot.service === node.name && knot.kind === 'consume' && knot.state === 'warn',
  )
  const state = worse(instanceState(node), isBehind ? 'warn' : 'ok')
  const detail = serviceDetail(node)
  const spoken = words.spokenService(node.name, detail, words.state[state])
  return { name: node.name, kind: 'service', detail, state, spoken }
}

function serviceDetail({ instances, mtls }: ServiceNode): string {
  if (instances === undefined) return words.seenOnly
  if (instances.total === 0) return words.noWorkload
  return `${instances.connected}/${instances.total}${mtls ? ` · ${words.mtls}` : ''}`
}

function instanceState({ instances }: ServiceNode): State {
  if (instances === undefined) return 'ok'
  if (instances.total === 0) return 'silent'
  if (instances.connected === 0) return 'bad'
  return instances.connected < instances.total ? 'warn' : 'ok'
}

export function describeRow(node: TopicNode, edges: readonly MergedEdge[]): Row {
  const { name, partitions, deadLetterOf } = node
  if (deadLetterOf !== undefined) {
    const letters = lettersIn(node, edges)
    const detail = letters === 0 ? words.noDeadLetters : words.deadLetters(count(letters), letters === 1)
    const parent = deadLetterOf.topic
    const spoken = words.spokenDeadLetters(parent, shownName({ name, parent }), detail)
    return { name, detail, state: letters === 0 ? 'silent' : 'bad', parent, spoken }
  }
  const detail = partitions === undefined ? words.noTopicResource : words.partitions(partitions)
  return { name, detail, state: 'ok', spoken: words.spokenTopic(name, detail) }
}

/** What is in the topic now; what was sent there, where the broker cannot be asked. */
function lettersIn({ name, records }: TopicNode, edges: readonly MergedEdge[]): number {
  const writes = edges.filter((edge) => edge.kind === 'produce' && edge.destination === name)
  return records ?? writes.reduce((sum, edge) => sum + edge.total, 0)
}

export function describeCall(edge: MergedEdge): Call {
  const { source, destination } = edge
  const { label, state } = callLabel(edge)
  const spoken = words.spokenCall(source, destination, label, words.state[state])
  return { key: keyOf('http', source, destination), source, destination, label, state, spoken }
}

function callLabel(edge: MergedEdge): { readonly label: string; readonly state: State } {
  if (edge.refusing === true) return { label: words.refused(refusedRate(edge)), state: 'bad' }
  const failed = failedShare(edge)
  if (failed !== '0') return { label: words.failed(failed), state: 'bad' }
  if (edge.configured === true || edge.total === 0) return { label: words.silent, state: 'silent' }
  const mean = edge.meanMs === undefined ? '' : ` · ${duration(edge.meanMs)}`
  return {
    label: isFlowing(edge) ? `${words.rps(rate(edge.ratePerSecond))}${mean}` : `${pace(edge)}${mean}`,
    state: 'ok',
  }
}

export function describeKnot(edge: MergedEdge, graph: Graph): Knot {
  const { source: service, destination: topic, groups } = edge
  const kind = edge.kind === 'produce' ? 'produce' : 'consume'
  const refused = edge.refusing === true
  const row = graph.nodes.find((node) => node.kind === 'topic' && node.name === topic)
  const letters =
    kind === 'produce' && row?.kind === 'topic' && row.deadLetterOf !== undefined
      ? lettersIn(row, [edge])
      : undefined
  const { label, state } = refused
    ? { label: words.refused(refusedRate(edge)), state: 'bad' as const }
    : knotLabel(edge, letters)
  return {
    key: keyOf(kind, service, topic),
    service,
    topic,
    kind,
    refused,
    groups,
    label,
    state,
    spoken: spokenKnot(),
  }

  function spokenKnot(): string {
    if (refused) return words.spokenRefused(service, topic, label)
    const speak = kind === 'produce' ? words.spokenProduce : words.spokenConsume
    return speak(service, topic, label, words.state[state])
  }
}

function knotLabel(
  edge: MergedEdge,
  letters: number | undefined,
): { readonly label: string; readonly state: State } {
  const failed = failedShare(edge)
  if (failed !== '0') return { label: words.failed(failed), state: 'bad' }
  if (edge.lag !== undefined) {
    const state = edge.lag >= LAG_WARN ? 'warn' : edge.configured === true ? 'silent' : 'ok'
    return { label: words.lag(count(edge.lag)), state }
  }
  if (letters !== undefined && letters > 0) return { label: words.totalCount(count(letters)), state: 'ok' }
  if (edge.configured === true || edge.total === 0) return { label: words.silent, state: 'silent' }
  return { label: pace(edge), state: 'ok' }
}

const isFlowing = (edge: MergedEdge): boolean => edge.ratePerSecond >= 0.95

/** What is rarer than once a second has no rate that means something: how many in the last minute. */
function pace(edge: MergedEdge): string {
  if (isFlowing(edge)) return words.perSecond(rate(edge.ratePerSecond))
  return edge.lastMinute.total > 0 ? words.perMinute(count(edge.lastMinute.total)) : words.idle
}

const refusedRate = (edge: MergedEdge): string =>
  edge.refusedPerSecond >= 0.95
    ? words.perSecond(rate(edge.refusedPerSecond))
    : words.perMinute(count(edge.lastMinute.refused))

/** Of the last ten seconds, or of the last minute where they were silent. */
function failedShare(edge: MergedEdge): string {
  return edge.ratePerSecond > 0
    ? share(edge.failedPerSecond, edge.ratePerSecond)
    : share(edge.lastMinute.failed, edge.lastMinute.total)
}

const RANK: readonly State[] = ['ok', 'silent', 'warn', 'bad']

const worse = (a: State, b: State): State => (RANK.indexOf(a) >= RANK.indexOf(b) ? a : b)
