import type { Log } from '@weft/schemas/node/log'
import type { PositionedFault } from '@weft/schemas/resources'

/** Says each fault once when it appears, not at each reading, and once that all are gone. */
export function createFaultLog(
  log: Log,
): (faults: readonly PositionedFault[], warnings: readonly PositionedFault[]) => void {
  let said: ReadonlySet<string> = new Set()
  let hadFaults = false
  return (faults, warnings) => {
    const now = new Set<string>()
    const say = (fault: PositionedFault, write: (fields: object, message: string) => void): void => {
      const line = `${fault.file}:${fault.line}:${fault.column} ${fault.message}`
      now.add(line)
      if (!said.has(line)) write({ file: fault.file, line: fault.line, path: fault.path }, line)
    }
    for (const fault of faults) say(fault, (fields, message) => log.error(fields, message))
    for (const warning of warnings) say(warning, (fields, message) => log.warn(fields, message))
    if (hadFaults && faults.length === 0) log.info('all resources are right again')
    hadFaults = faults.length > 0
    said = now
  }
}
