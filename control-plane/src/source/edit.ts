/** Changes single resources inside the text of a file and leaves everything else as its author wrote it. */
import { extname } from 'node:path'
import { YAML_OPTIONS } from '@weft/schemas/resources'
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  stringify,
} from 'yaml'

/** One resource of a file: which document, and which entry where the document is a list; its new value, or undefined to take it out. */
export interface Edit {
  readonly document: number
  readonly entry?: number
  readonly value: unknown
}

/** Long lines stay long: a wrapped one would be a change that nobody made. */
const OUTPUT = { lineWidth: 0 } as const

/** The text of a file that holds one resource. */
export const newFileText = (value: unknown): string =>
  stringify(value, { ...OUTPUT, aliasDuplicateObjects: false })

/** The text with the edits made; undefined where no resource is left. The text has no faults. */
export function editText(path: string, text: string, edits: readonly Edit[]): string | undefined {
  if (extname(path).toLowerCase() === '.json') return editJson(text, edits)
  const documents = parseAllDocuments(text, YAML_OPTIONS) as Document.Parsed[]
  const kept: string[] = []
  let start = 0
  let resourcesLeft = false
  for (const [index, document] of documents.entries()) {
    const isLast = index === documents.length - 1
    const end = isLast ? text.length : document.range[2]
    const chunk = text.slice(start, end)
    start = end
    const changed = editDocument(
      document,
      chunk,
      edits.filter((edit) => edit.document === index),
    )
    if (changed === undefined) continue
    resourcesLeft ||= document.contents !== null && !isEmptyScalar(document.contents)
    kept.push(changed.endsWith('\n') || isLast ? changed : `${changed}\n`)
  }
  return resourcesLeft ? kept.join('') : undefined
}

const isEmptyScalar = (node: unknown): boolean => isScalar(node) && node.value === null

/** A document without edits comes back letter by letter; one that is taken out, as undefined. */
function editDocument(document: Document.Parsed, chunk: string, edits: readonly Edit[]): string | undefined {
  if (edits.length === 0) return chunk
  const root = document.contents
  if (isSeq(root)) {
    // From the back, so that taking one out does not move those that are still to come.
    for (const { entry = 0, value } of edits.toSorted((a, b) => (b.entry ?? 0) - (a.entry ?? 0))) {
      if (value === undefined) root.items.splice(entry, 1)
      else root.items[entry] = merged(document, root.items[entry], value) as (typeof root.items)[number]
    }
    return root.items.length === 0 ? undefined : document.toString(OUTPUT)
  }
  const value = edits.at(-1)?.value
  if (value === undefined) return undefined
  document.contents = merged(document, root, value) as typeof document.contents
  return document.toString(OUTPUT)
}

/** A node with the new value in which everything that did not change is the old node, comments and style included. */
function merged(document: Document, node: unknown, value: unknown): Node {
  if (usesAnchors(node)) return document.createNode(value, { aliasDuplicateObjects: false }) as Node
  return mergeNode(document, node, value)
}

function mergeNode(document: Document, node: unknown, value: unknown): Node {
  if (isMap(node) && isRecord(value)) {
    node.items = node.items.filter(
      (pair: Pair) => isScalar(pair.key) && Object.hasOwn(value, String(pair.key.value)),
    )
    for (const [key, member] of Object.entries(value)) {
      const pair = node.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === key)
      if (pair === undefined) node.items.push(document.createPair(key, member) as (typeof node.items)[number])
      else pair.value = mergeNode(document, pair.value, member)
    }
    return node
  }
  if (isSeq(node) && Array.isArray(value)) {
    node.items = value.map((item, index) => mergeNode(document, node.items[index], item))
    return node
  }
  if (isScalar(node) && node.value === value) return node
  const fresh = document.createNode(value, { aliasDuplicateObjects: false }) as Node
  if (isNode(node) && isScalar(node) && isScalar(fresh)) {
    const { comment, commentBefore, spaceBefore } = node
    Object.assign(fresh, { comment, commentBefore, spaceBefore })
  }
  return fresh
}

/** A change below an anchor would change every alias of it too: such a resource is written anew, in full. */
function usesAnchors(node: unknown): boolean {
  if (isAlias(node)) return true
  if (isScalar(node)) return node.anchor !== undefined
  if (isMap(node))
    return node.anchor !== undefined || node.items.some((pair: Pair) => usesAnchors(pair.value))
  if (isSeq(node)) return node.anchor !== undefined || node.items.some(usesAnchors)
  return false
}

function editJson(text: string, edits: readonly Edit[]): string | undefined {
  const root: unknown = JSON.parse(text)
  if (!Array.isArray(root)) {
    const value = edits.at(-1)?.value
    return value === undefined ? undefined : `${JSON.stringify(value, null, 2)}\n`
  }
  const items: unknown[] = root
  for (const { entry = 0, value } of edits.toSorted((a, b) => (b.entry ?? 0) - (a.entry ?? 0))) {
    if (value === undefined) items.splice(entry, 1)
    else items[entry] = value
  }
  return items.length === 0 ? undefined : `${JSON.stringify(items, null, 2)}\n`
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
