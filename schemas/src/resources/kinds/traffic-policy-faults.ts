/** What no schema says of a TrafficPolicy: members that belong together, or contradict each other. */
import { type FaultPath, type LocatedFault, locatedFault, showValue } from '../fault.ts'
import { entries, isMap, member } from './definition.ts'

export function trafficFaults(input: unknown): readonly LocatedFault[] {
  const spec = member(input, 'spec')
  return [
    ...PAIRS.flatMap((pair) => orderFaults(spec, pair)),
    ...hashFaults(member(spec, 'loadBalancing')),
    ...gatewayFaults(spec),
    ...repeatedNames(spec, 'subsets'),
    ...repeatedNames(spec, 'rateLimits'),
    ...entries(member(spec, 'faults')).flatMap(([index, fault]) =>
      injectionFaults(fault, ['spec', 'faults', index]),
    ),
  ]
}

interface Pair {
  readonly group: string
  readonly less: string
  readonly more: string
}

/** What is absent may be said by a less specific policy, so only what stands side by side is compared. */
const PAIRS: readonly Pair[] = [
  { group: 'retry', less: 'backoffBaseMs', more: 'backoffMaxMs' },
  { group: 'outlierDetection', less: 'baseEjectionMs', more: 'maxEjectionMs' },
  { group: 'adaptiveConcurrency', less: 'minLimit', more: 'maxLimit' },
  { group: 'healthCheck', less: 'timeoutMs', more: 'intervalMs' },
]

function orderFaults(spec: unknown, { group, less, more }: Pair): readonly LocatedFault[] {
  const smaller = member(member(spec, group), less)
  const larger = member(member(spec, group), more)
  // 0 turns a feature off.
  if (typeof smaller !== 'number' || typeof larger !== 'number' || larger === 0 || smaller <= larger)
    return []
  return [
    locatedFault({
      at: ['spec', group, more],
      expected: `${less} at most ${more}`,
      came: `${smaller} and ${larger}`,
    }),
  ]
}

/** It would be silently dead. */
function hashFaults(balancing: unknown): readonly LocatedFault[] {
  const policy = member(balancing, 'policy')
  if (member(balancing, 'hashOn') === undefined || policy === undefined) return []
  if (policy === 'ringHash' || policy === 'maglev') return []
  return [
    locatedFault({
      at: ['spec', 'loadBalancing', 'hashOn'],
      expected: 'hashOn only beside the policies ringHash and maglev',
      came: `the policy ${showValue(policy)}`,
      onKey: true,
    }),
  ]
}

/** How services are called is said of the services, whoever calls. */
function gatewayFaults(spec: unknown): readonly LocatedFault[] {
  if (!isMap(spec) || member(spec.target, 'gateway') === undefined) return []
  return Object.keys(spec)
    .filter((name) => name !== 'target' && name !== 'rateLimits')
    .map((name) =>
      locatedFault({
        at: ['spec', name],
        expected: 'only rateLimits where the target is a gateway',
        came: name,
        onKey: true,
      }),
    )
}

function repeatedNames(spec: unknown, group: 'subsets' | 'rateLimits'): readonly LocatedFault[] {
  const seen = new Set<unknown>()
  const faults: LocatedFault[] = []
  for (const [index, entry] of entries(member(spec, group))) {
    const name = member(entry, 'name')
    if (name !== undefined && seen.has(name))
      faults.push(
        locatedFault({
          at: ['spec', group, index, 'name'],
          expected: 'each name once',
          came: `${showValue(name)} again`,
        }),
      )
    seen.add(name)
  }
  return faults
}

function injectionFaults(fault: unknown, at: FaultPath): readonly LocatedFault[] {
  if (!isMap(fault)) return []
  const { delay, abort } = fault
  if (delay === undefined && abort === undefined)
    return [locatedFault({ at, expected: 'delay, abort, or both', came: 'neither' })]
  if (!isMap(abort)) return []
  const statuses = ['httpStatus', 'grpcStatus'].filter((name) => abort[name] !== undefined)
  if (statuses.length === 1) return []
  return [
    locatedFault({
      at: [...at, 'abort'],
      expected: 'exactly one of httpStatus, grpcStatus',
      came: statuses.length === 0 ? 'neither' : 'both',
    }),
  ]
}
