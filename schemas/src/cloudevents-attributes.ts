import type { CloudEventAttributes } from './cloudevents-json.ts'
import { timestampMs } from './timestamp.ts'

const REQUIRED = ['id', 'source', 'type'] as const

/** CloudEvents 1.0, section 3.1: what every event has, and what the rest looks like. Faults are appended. */
export function checkAttributes(attributes: CloudEventAttributes, faults: string[]): void {
  const at = (name: string) => attributes[name]
  for (const name of REQUIRED) {
    const value = at(name)
    if (value === undefined) faults.push(`${name}: expected a text, it is missing`)
    else if (value === '') faults.push(`${name}: expected a text, it is empty`)
  }
  const version = at('specversion')
  if (version === undefined) faults.push('specversion: expected 1.0, it is missing')
  else if (version !== '1.0')
    faults.push(`specversion: expected 1.0, came ${JSON.stringify(version.slice(0, 20))}`)
  const time = at('time')
  if (time !== undefined && timestampMs(time) === undefined)
    faults.push(`time: expected an RFC 3339 timestamp, came ${JSON.stringify(time.slice(0, 40))}`)
  for (const name of ['subject', 'dataschema'])
    if (at(name) === '') faults.push(`${name}: expected a text, it is empty`)
}
