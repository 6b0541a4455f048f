/**
 * Reads resources from text: YAML with any number of documents, or JSON (which YAML contains), one resource or a list
 * of them in each. Every fault has file, line and column; one reading finds them all. Pure.
 */
import { type Document, isMap, isSeq, LineCounter, parseAllDocuments, type YAMLError } from 'yaml'
import {
  type FaultPath,
  type LocatedFault,
  locatedFault,
  type PositionedFault,
  publicFault,
  showValue,
} from './fault.ts'
import { resourceKey } from './key.ts'
import { type Position, positionOf } from './position.ts'
import { repeatedKeys } from './repeated-keys.ts'
import type { Resource } from './types.ts'
import { checkResource } from './validate.ts'

/** A thousand resources; Kubernetes stores no object above 1.5 MiB either. */
export const MAX_TEXT_BYTES = 1_048_576
/** Anchors save a person some typing; more expansions than this is a bomb. */
const MAX_ALIASES = 100
/** What bounds the list of faults of a whole text. */
const MAX_FAULTS = 1000

/** One resource of a text, with the place where it begins. */
export interface ReadResource extends Position {
  readonly resource: Resource
  /** As it was written, without defaults: what is stored when it came by the API. */
  readonly input: unknown
  /** Which document of the text, and which entry where the document is a list. */
  readonly document: number
  readonly entry?: number
}

export interface ReadResult {
  readonly resources: readonly ReadResource[]
  readonly faults: readonly PositionedFault[]
}

/** `file` is only a name for the faults. A text with a fault may hold good resources too: it is for the caller to refuse it whole. */
export function readResources(text: string, file: string): ReadResult {
  const resources: ReadResource[] = []
  const faults: PositionedFault[] = []
  if (text.length > MAX_TEXT_BYTES)
    return { resources, faults: [{ ...sizeFault(text.length), file, line: 1, column: 1 }] }

  const seen = new Set<string>()
  for (const part of parts(text)) {
    if (faults.length >= MAX_FAULTS) break
    const add = (fault: LocatedFault) =>
      faults.push({ ...publicFault(fault), file, ...positionOf(part, fault.at, fault.onKey) })
    for (const fault of part.faults) faults.push({ file, ...fault })
    if (part.value === undefined) continue
    const checked = checkResource(part.value)
    if ('faults' in checked) {
      for (const fault of checked.faults) add(fault)
      continue
    }
    const key = resourceKey(checked.resource)
    if (seen.has(key))
      add(locatedFault({ at: ['metadata', 'name'], expected: 'each resource once', came: `${key} again` }))
    seen.add(key)
    resources.push({
      resource: checked.resource,
      input: part.value,
      ...positionOf(part, []),
      document: part.documentIndex,
      ...(part.entry !== undefined && { entry: part.entry }),
    })
  }
  // In the order of the text, as a person reads it.
  faults.sort((a, b) => a.line - b.line || a.column - b.column)
  return { resources, faults: faults.slice(0, MAX_FAULTS) }
}

/** Finds places in a text that `readResources` has read; parses it once, for any number of places. */
export function createLocator(
  text: string,
): (which: { readonly document: number; readonly entry?: number }, at: FaultPath) => Position {
  const all = [...parts(text)]
  return (which, at) => {
    const part = all.find(
      ({ documentIndex, entry }) => documentIndex === which.document && entry === which.entry,
    )
    return part === undefined ? { line: 1, column: 1 } : positionOf(part, at)
  }
}

/** How Weft reads YAML: 1.2, names are texts, no tags. Repeated keys are looked for by `repeatedKeys`, in linear time. */
export const YAML_OPTIONS = {
  stringKeys: true,
  uniqueKeys: false,
  resolveKnownTags: false,
  prettyErrors: false,
  logLevel: 'error',
} as const

interface Part {
  readonly document: Document.Parsed
  readonly documentIndex: number
  readonly entry?: number
  readonly lines: LineCounter
  readonly root: unknown
  /** Undefined where the text cannot be read as a value. */
  readonly value: unknown
  readonly faults: readonly Omit<PositionedFault, 'file'>[]
}

function* parts(text: string): Generator<Part> {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { ...YAML_OPTIONS, lineCounter: lines })
  for (const [documentIndex, document] of documents.entries()) {
    const base = { document, documentIndex, lines, root: document.contents as unknown }
    const syntax = [...document.errors, ...document.warnings].map((error) => syntaxFault(error, lines))
    const repeated = repeatedKeys(document).map(({ offset, name }) => repeatedFault(name, lines, offset))
    const faults = [...syntax, ...repeated]
    if (syntax.length > 0) {
      yield { ...base, value: undefined, faults }
      continue
    }
    const value = toValue(document)
    if (value instanceof Error) {
      const fault = locatedFault({
        at: [],
        expected: 'anchors that are defined and used sparingly',
        came: value.message,
      })
      yield {
        ...base,
        value: undefined,
        faults: [...faults, { ...publicFault(fault), ...positionOf(base, []) }],
      }
    } else if (Array.isArray(value) && isSeq(document.contents)) {
      const roots = document.contents.items
      if (faults.length > 0) yield { ...base, value: undefined, faults }
      for (const [entry, item] of value.entries())
        yield { ...base, entry, root: roots[entry], value: item as unknown, faults: [] }
    } else {
      const isBlank = value === null && !isMap(document.contents)
      yield { ...base, value: isBlank ? undefined : value, faults }
    }
  }
}

function toValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    // ReferenceError: an alias without anchor, or too many of them; RangeError: nested deeper than the stack.
    return error instanceof Error ? error : new Error(String(error))
  }
}

function syntaxFault(error: YAMLError, lines: LineCounter): Omit<PositionedFault, 'file'> {
  const { line, col } = lines.linePos(error.pos[0])
  const fault = locatedFault({ at: [], expected: 'YAML or JSON', came: `a syntax error: ${error.message}` })
  return { ...publicFault(fault), line, column: col }
}

function repeatedFault(name: string, lines: LineCounter, offset: number): Omit<PositionedFault, 'file'> {
  const { line, col } = lines.linePos(offset)
  const fault = locatedFault({ at: [name], expected: 'each key once', came: `${showValue(name)} again` })
  return { ...publicFault(fault), line, column: col }
}

function sizeFault(length: number) {
  return publicFault(locatedFault({ at: [], expected: `at most ${MAX_TEXT_BYTES} bytes`, came: `${length}` }))
}
