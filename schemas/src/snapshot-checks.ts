/** What the parts of a snapshot are checked with: each check reports what it expected, where, and what came. Pure. */
import { parseSpiffeId } from './spiffe.ts'

export type Report = (path: string, expected: string, came: unknown) => void
export type Check = (value: unknown, path: string, report: Report) => void
export type Members = Readonly<Record<string, Check>>

const MAX_CAME_LENGTH = 60

export const when =
  (expected: string, holds: (value: unknown) => boolean): Check =>
  (value, path, report) => {
    if (!holds(value)) report(path, expected, value)
  }

export const text = when('a text that is not empty', (value) => typeof value === 'string' && value !== '')
export const anyText = when('a text', (value) => typeof value === 'string')
export const matching = (expected: string, form: RegExp): Check =>
  when(expected, (value) => typeof value === 'string' && form.test(value))
export const oneOf = (...values: readonly unknown[]): Check =>
  when(values.map((value) => JSON.stringify(value)).join(' or '), (value) => values.includes(value))
export const whole = (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  when(
    `a whole number from ${least} to ${most}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most,
  )
export const between = (least: number, most: number): Check =>
  when(
    `a number from ${least} to ${most}`,
    (value) => typeof value === 'number' && value >= least && value <= most, // NaN is neither
  )
export const share = when(
  'a number from 0 to 1',
  (value) => typeof value === 'number' && value >= 0 && value <= 1, // NaN is neither
)
export const identity = when(
  'spiffe://<trust domain>/ns/<namespace>/sa/<service account>',
  (value) => typeof value === 'string' && parseSpiffeId(value) !== undefined,
)

export const listOf =
  (check: Check, least = 0): Check =>
  (value, path, report) => {
    if (!Array.isArray(value) || value.length < least) {
      report(path, least > 0 ? `a list of at least ${least}` : 'a list', value)
      return
    }
    value.forEach((entry: unknown, at) => {
      check(entry, `${path}[${at}]`, report)
    })
  }

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const mapOf =
  (check: Check): Check =>
  (value, path, report) => {
    if (!isRecord(value)) report(path, 'an object', value)
    else for (const [key, entry] of Object.entries(value)) check(entry, `${path}.${key}`, report)
  }

/** An object; members of `optional` may be absent, those of `required` may not. */
export const object =
  (required: Members, optional: Members = {}): Check =>
  (value, path, report) => {
    if (!isRecord(value)) {
      report(path === '' ? 'snapshot' : path, 'an object', value)
      return
    }
    const at = (name: string) => (path === '' ? name : `${path}.${name}`)
    for (const [name, check] of Object.entries(required)) check(value[name], at(name), report)
    for (const [name, check] of Object.entries(optional))
      if (value[name] !== undefined) check(value[name], at(name), report)
  }

interface MemberCount {
  readonly least: number
  readonly most: number
}
export const EXACTLY_ONE: MemberCount = { least: 1, most: 1 }
export const AT_LEAST_ONE: MemberCount = { least: 1, most: Number.POSITIVE_INFINITY }
const ANY_NUMBER: MemberCount = { least: 0, most: Number.POSITIVE_INFINITY }

/** An object of policies: a member that is not known is a fault. `count` is that of all members together. */
export const closed =
  (required: Members, optional: Members, count = ANY_NUMBER): Check =>
  (value, path, report) => {
    object(required, optional)(value, path, report)
    if (!isRecord(value)) return
    const names = Object.keys(value)
    for (const name of names)
      if (!Object.hasOwn(required, name) && !Object.hasOwn(optional, name))
        report(`${path}.${name}`, 'a member that this version knows', value[name])
    if (names.length < count.least || names.length > count.most)
      report(path, count === EXACTLY_ONE ? 'exactly one member' : 'at least one member', names.join(', '))
  }

export function show(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    return value === null ? 'null' : `a ${typeof value}`
  const written = JSON.stringify(value)
  return written.length > MAX_CAME_LENGTH ? `${written.slice(0, MAX_CAME_LENGTH)}…` : written
}
