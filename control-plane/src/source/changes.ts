/** Changes by the API: judged on what the files say now, written to the files, and read back from them. */
import { readFile } from 'node:fs/promises'
import { MeshError } from '@weft/schemas/error'
import {
  type FaultPath,
  type Kind,
  type Position,
  type PositionedFault,
  type ReadResource,
  type Resource,
  resourceKey,
} from '@weft/schemas/resources'
import { toEntry } from './file-state.ts'
import { changeFiles, type FileChange } from './journal.ts'
import type { LiveSet } from './live-set.ts'
import { compare, etagOf, newFaults, type Outcome, planPut, planRemove, type Wanted } from './plan.ts'
import { checkReferences } from './references.ts'
import { RefusedResources } from './refused-resources.ts'
import { positioned, type ResourceSet } from './resource-set.ts'

export interface ResourceName {
  readonly kind: Kind
  readonly namespace: string
  readonly name: string
}

export interface PutRequest {
  readonly resources: readonly ReadResource[]
  /** create: each must be new. */
  readonly mode: 'create' | 'replace'
  readonly dryRun: boolean
  /** The ETag that the (only) resource must have now; `*`: it must be there. */
  readonly ifMatch?: string
  /** Where a member of one of `resources` stands in what was sent, for faults. */
  readonly locate: (read: ReadResource, at: FaultPath) => Position & { readonly file: string }
}

export interface PutResult {
  readonly version: number
  readonly results: readonly (ResourceName & { readonly result: Outcome })[]
  /** What is not wrong enough to be refused, and what the change makes wrong elsewhere. */
  readonly warnings: readonly PositionedFault[]
}

/** What a change works on. */
export interface ChangeContext {
  readonly live: LiveSet
  readonly load: () => Promise<void>
  readonly stateDir: string
  readonly ownFolder: string
}

/** How often a change gives way to an editor that saves the same file at that moment. */
const MAX_ATTEMPTS = 5

/** All or nothing, durable when it resolves. */
export async function put(context: ChangeContext, request: PutRequest): Promise<PutResult> {
  const { live } = context
  const entries = request.resources.map(toEntry)
  let wanted: readonly Wanted[] = []
  let warnings: readonly PositionedFault[] = []
  let faultsBefore: readonly PositionedFault[] = []
  await change(context, () => {
    wanted = compare(live.set, entries)
    faultsBefore = live.set.faults
    for (const entry of entries) checkMatch(live.set, entry.key, request.ifMatch)
    if (request.mode === 'create') refuseExisting(wanted)
    const judgement = judge(live.set, request)
    if (judgement.errors.length > 0) throw new RefusedResources(judgement.errors)
    warnings = judgement.warnings
    const changes = planPut(wanted, { folder: context.ownFolder, taken: live.files })
    return request.dryRun ? [] : changes
  })
  return {
    version: live.version,
    results: wanted.map(({ entry, outcome }) => ({ ...nameOf(entry.read.resource), result: outcome })),
    warnings: [...warnings, ...newFaults(live.set.faults, faultsBefore)],
  }
}

/** Durable when it resolves. */
export async function remove(
  context: ChangeContext,
  name: ResourceName,
  ifMatch?: string,
): Promise<{ readonly version: number }> {
  const { live } = context
  const key = keyOf(name)
  await change(context, () => {
    const stored = live.set.stored.get(key)
    if (stored === undefined) throw new MeshError('not_found', `there is no ${key}`)
    checkMatch(live.set, key, ifMatch)
    return [planRemove(stored)]
  })
  return { version: live.version }
}

export const keyOf = ({ kind, namespace, name }: ResourceName): string =>
  resourceKey({ kind, metadata: { namespace, name } })

/** Reads, plans, writes, reads again. An editor that saves between reading and writing wins: the plan is made anew on its text. */
async function change({ load, stateDir }: ChangeContext, plan: () => readonly FileChange[]): Promise<void> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    await load()
    const changes = plan()
    if (changes.length === 0) return
    if (!(await areUnchanged(changes))) continue
    try {
      await changeFiles(stateDir, changes)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new MeshError('conflict', `the files of these resources cannot be written: ${why}`, {
        cause: error,
      })
    }
    return await load()
  }
  throw new MeshError('conflict', 'the files of these resources are being edited by somebody else right now')
}

/** True if nobody else wrote these files since they were read; a rename right after this look would still win over it. */
async function areUnchanged(changes: readonly FileChange[]): Promise<boolean> {
  for (const { path, before } of changes) {
    const now = await readFile(path, 'utf8').catch(() => undefined)
    if (now !== before) return false
  }
  return true
}

function checkMatch(set: ResourceSet, key: string, ifMatch: string | undefined): void {
  if (ifMatch === undefined) return
  const stored = set.stored.get(key)
  const etag = stored === undefined ? undefined : etagOf(stored.entry)
  const accepted = ifMatch.split(',').map((tag) => tag.trim())
  if (etag !== undefined && (accepted.includes('*') || accepted.includes(etag))) return
  const now = etag === undefined ? 'is not there' : `has ${etag}`
  throw new MeshError('precondition_failed', `expected ${key} with ETag ${ifMatch.slice(0, 200)}; it ${now}`)
}

function refuseExisting(wanted: readonly Wanted[]): void {
  const existing = wanted.filter(({ outcome }) => outcome !== 'created').map(({ entry }) => entry.key)
  if (existing.length === 0) return
  throw new MeshError(
    'conflict',
    `expected only new resources, but there is already: ${existing.slice(0, 20).join(', ')}. Use PUT to replace`,
  )
}

interface Judgement {
  readonly errors: readonly PositionedFault[]
  readonly warnings: readonly PositionedFault[]
}

/** The references of the resources of a request, as they would be after it. */
function judge(set: ResourceSet, request: PutRequest): Judgement {
  const reads = new Map(request.resources.map((read) => [resourceKey(read.resource), read]))
  const kept = set.resources.map((resource) => reads.get(resourceKey(resource))?.resource ?? resource)
  const added = [...reads].filter(([key]) => !set.stored.has(key)).map(([, read]) => read.resource)
  const errors: PositionedFault[] = []
  const warnings: PositionedFault[] = []
  for (const finding of checkReferences([...kept, ...added])) {
    const read = reads.get(finding.key)
    if (read === undefined) continue
    const { file, ...position } = request.locate(read, finding.at)
    const list = finding.severity === 'error' ? errors : warnings
    list.push(positioned(finding, file, position))
  }
  return { errors, warnings }
}

const nameOf = ({ kind, metadata }: Resource): ResourceName => ({
  kind,
  namespace: metadata.namespace,
  name: metadata.name,
})
