/** All files together: one set of resources, and what is wrong with it. Pure. */
import {
  createLocator,
  type FaultPath,
  formatPath,
  type Position,
  type PositionedFault,
  type Resource,
} from '@weft/schemas/resources'
import type { Entry, FileState } from './file-state.ts'
import { checkReferences, type Finding } from './references.ts'

/** A resource in force and the file that holds it. */
export interface Stored {
  readonly entry: Entry
  readonly file: FileState
}

export interface ResourceSet {
  readonly stored: ReadonlyMap<string, Stored>
  readonly resources: readonly Resource[]
  readonly faults: readonly PositionedFault[]
  readonly warnings: readonly PositionedFault[]
}

export const EMPTY_SET: ResourceSet = { stored: new Map(), resources: [], faults: [], warnings: [] }

/** Joins files in their order; of a resource that stands in two, the first holds and the second is a fault. */
export function joinFiles(files: Iterable<FileState>, folderFaults: readonly PositionedFault[]): ResourceSet {
  const stored = new Map<string, Stored>()
  const faults: PositionedFault[] = [...folderFaults]
  const locators = new Map<FileState, ReturnType<typeof createLocator>>()
  const locate = ({ entry, file }: Stored, at: FaultPath): Position => {
    const locator = locators.get(file) ?? createLocator(file.text)
    locators.set(file, locator)
    return locator(entry.read, at)
  }
  for (const file of files) {
    faults.push(...file.faults)
    for (const entry of file.entries) {
      const first = stored.get(entry.key)
      if (first === undefined) stored.set(entry.key, { entry, file })
      else faults.push(positioned(twice(entry, first), file.path, locate({ entry, file }, NAME)))
    }
  }
  const resources = [...stored.values()].map(({ entry }) => entry.read.resource)
  const warnings: PositionedFault[] = []
  for (const finding of checkReferences(resources)) {
    const place = stored.get(finding.key)
    if (place === undefined) continue
    const fault = positioned(finding, place.file.path, locate(place, finding.at))
    if (finding.severity === 'error') faults.push(fault)
    else warnings.push(fault)
  }
  return { stored, resources, faults, warnings }
}

/** Do both hold the same resources? Their places do not count. */
export function sameResources(a: ResourceSet, b: ResourceSet): boolean {
  if (a.stored.size !== b.stored.size) return false
  for (const [key, { entry }] of a.stored) if (b.stored.get(key)?.entry.json !== entry.json) return false
  return true
}

/** A finding as a fault of a place. */
export function positioned(
  finding: Omit<Finding, 'key' | 'severity'>,
  file: string,
  { line, column }: Position,
): PositionedFault {
  const { expected, came } = finding
  const path = formatPath(finding.at)
  return { file, line, column, path, expected, came, message: `${path}: expected ${expected}, came ${came}` }
}

const NAME: FaultPath = ['metadata', 'name']

const twice = (entry: Entry, first: Stored): Omit<Finding, 'key' | 'severity'> => ({
  at: NAME,
  expected: 'each resource once',
  came: `${entry.key}, which ${first.file.path}:${first.entry.read.line} holds already`,
})
