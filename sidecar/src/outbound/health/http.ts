import type { HealthProbe } from '@weft/schemas/snapshot'
import { ask } from './ask.ts'
import type { Probe } from './probe.ts'

const NOTHING = Buffer.alloc(0)

/** GET of a path; its status decides. */
export function httpProbe({ path, statuses }: NonNullable<HealthProbe['http']>): Probe {
  return (target, done) =>
    ask(target, { method: 'GET', path, fields: [], body: NOTHING }, (answer) => {
      if (typeof answer === 'string') done(answer)
      else if (statuses.includes(answer.head.status)) done(undefined)
      else done(`GET ${path}: expected ${statuses.join(' or ')}, came ${answer.head.status}`)
    })
}
