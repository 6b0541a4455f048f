/** From the resources of a request to the files that have to change. Pure but for its errors. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { MeshError } from '@weft/schemas/error'
import { type PositionedFault, readResources, resourceKey } from '@weft/schemas/resources'
import { type Edit, editText, newFileText } from './edit.ts'
import { type Entry, type FileState, toEntry } from './file-state.ts'
import type { FileChange } from './journal.ts'
import type { ResourceSet, Stored } from './resource-set.ts'

export type Outcome = 'created' | 'replaced' | 'unchanged'

/** Private to whoever runs the control plane, as everything under its state folder. */
const OWN_FILE_MODE = 0o600

/** Where resources go that no watched file holds. */
export interface OwnFolder {
  readonly folder: string
  /** Files that exist, whatever they hold. */
  readonly taken: { has(path: string): boolean }
}

/** One resource to put where it belongs. */
export interface Wanted {
  readonly entry: Entry
  readonly outcome: Outcome
  readonly stored: Stored | undefined
}

/** What each entry would do to the set. */
export function compare(set: ResourceSet, entries: readonly Entry[]): readonly Wanted[] {
  return entries.map((entry) => {
    const stored = set.stored.get(entry.key)
    const outcome =
      stored === undefined ? 'created' : stored.entry.json === entry.json ? 'unchanged' : 'replaced'
    return { entry, outcome, stored }
  })
}

/** The changes that put the wanted resources into their files: where each stands already, or a file of its own. */
export function planPut(wanted: readonly Wanted[], own: OwnFolder): readonly FileChange[] {
  const created = wanted
    .filter(({ outcome }) => outcome === 'created')
    .map(({ entry }) => ({
      path: ownPath(own, entry),
      before: undefined,
      after: newFileText(withoutStatus(entry.read.input)),
      mode: OWN_FILE_MODE,
    }))
  const edits = new Map<FileState, Edit[]>()
  for (const { entry, outcome, stored } of wanted) {
    if (outcome !== 'replaced' || stored === undefined) continue
    const list = edits.get(stored.file) ?? []
    list.push(editOf(stored, withoutStatus(entry.read.input)))
    edits.set(stored.file, list)
  }
  const replaced = wanted.filter(({ outcome }) => outcome === 'replaced').map(({ entry }) => entry)
  return [...created, ...[...edits].map(([file, list]) => changeOf(file, list, replaced))]
}

/** The change that takes a resource out of its file. */
export function planRemove(stored: Stored): FileChange {
  return changeOf(stored.file, [editOf(stored, undefined)], [])
}

/** `accesspolicy.default.orders.yaml`; a namespace has no dot, so no two resources share a name. */
function ownPath({ folder, taken }: OwnFolder, { read: { resource } }: Entry): string {
  const { namespace, name } = resource.metadata
  const base = `${resource.kind.toLowerCase()}.${namespace}.${name}`
  // A person may have edited a file here so that it holds something else now.
  let path = join(folder, `${base}.yaml`)
  for (let count = 2; taken.has(path); count++) path = join(folder, `${base}.${count}.yaml`)
  return path
}

function editOf({ entry }: Stored, value: unknown): Edit {
  const { document, entry: place } = entry.read
  return { document, ...(place !== undefined && { entry: place }), value }
}

function changeOf(file: FileState, edits: readonly Edit[], expected: readonly Entry[]): FileChange {
  if (file.faults.length > 0)
    throw notEditable(file, `it has faults, the first in line ${file.faults[0]?.line}`)
  let after: string | undefined
  try {
    after = editText(file.path, file.text, edits)
  } catch (error) {
    throw notEditable(file, error instanceof Error ? error.message : String(error))
  }
  if (after !== undefined && !says(after, file, edits, expected))
    throw notEditable(
      file,
      'it is written in a way that only a person can change, with anchors across resources',
    )
  return { path: file.realPath, before: file.text, after, mode: file.mode }
}

/** Reads the new text back: it must hold what was asked for and, untouched, everything else. */
function says(text: string, file: FileState, edits: readonly Edit[], expected: readonly Entry[]): boolean {
  const { resources, faults } = readResources(text, file.path)
  const now = new Map(resources.map((read) => [resourceKey(read.resource), toEntry(read).json]))
  const replaced = new Map(expected.map((entry) => [entry.key, entry.json]))
  const removed = new Set(edits.filter((edit) => edit.value === undefined).map((edit) => placeOf(edit)))
  const wanted = file.entries.filter((entry) => !removed.has(placeOf(entry.read)))
  return (
    faults.length === 0 &&
    now.size === wanted.length &&
    wanted.every((entry) => now.get(entry.key) === (replaced.get(entry.key) ?? entry.json))
  )
}

const placeOf = ({ document, entry }: { readonly document: number; readonly entry?: number }): string =>
  `${document}/${entry ?? ''}`

const notEditable = (file: FileState, why: string): MeshError =>
  new MeshError(
    'conflict',
    `the resource stands in ${file.path}, which cannot be edited here: ${why}. Edit the file`,
  )

/** `status` is what the API says of a resource, not part of it. */
function withoutStatus(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input
  return Object.fromEntries(Object.entries(input).filter(([key]) => key !== 'status'))
}

/** The ETag of a resource: the same content has the same, whatever file holds it. */
export const etagOf = (entry: Entry): string =>
  `"${createHash('sha256').update(entry.json).digest('base64url').slice(0, 27)}"`

/** Faults that are in the first list and not in the second. */
export function newFaults(
  now: readonly PositionedFault[],
  before: readonly PositionedFault[],
): readonly PositionedFault[] {
  const known = new Set(before.map(({ file, message }) => `${file} ${message}`))
  return now.filter(({ file, message }) => !known.has(`${file} ${message}`))
}
