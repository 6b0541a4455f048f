import type { Command } from 'commander'
import type { AclReview } from '../../acls/index.ts'
import { document } from '../document.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { renderTable } from '../output/table.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { next, say } from '../words.ts'

interface AclsOptions extends GlobalOptions {
  readonly all?: true
}

/** `weft acls`: the brokers' own ACLs beside the policies. */
export function addAcls(program: Command, io: Io): void {
  const acls = program
    .command('acls')
    .option('-a, --all', 'those too that are as they should be')
    .action(async (_options: unknown, self: Command) => showAcls(io, self.optsWithGlobals<AclsOptions>()))
  document(acls, {
    description: "What the policies make of the brokers' own ACLs, and what would change. Changes nothing.",
    examples: [
      ['weft acls', 'what would be created and deleted'],
      ['weft acls --all', 'what is right already, too'],
    ],
    notes:
      'With spec.kafka.acls: managed in the Mesh the control plane creates what is missing and deletes what is too much. ACLs of principals that\nare not of the trust domain are never touched.\nJSON: {"mode", "acls": [{"state", "permission", "principal", "operation", "resourceType", "patternType", "resourceName"}], "remarks", "foreign"}.',
  })
}

async function showAcls(io: Io, options: AclsOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  const client = await connect(io, options)
  const review = await client.get<AclReview>('/api/v1/acls')
  const shown = review.acls.filter(({ state }) => options.all === true || state !== 'present')
  if (format === 'json') {
    io.out.write(toJson({ ...review, acls: shown }))
    return
  }
  if (shown.length > 0) io.out.write(tableOf(shown))
  say(io, options, summaryOf(review))
  for (const remark of review.remarks) say(io, options, remark)
  const changes = review.acls.some(({ state }) => state !== 'present')
  if (changes && review.mode === 'unmanaged')
    next(io, options, 'spec.kafka.acls: managed in the Mesh, and the control plane makes them so')
}

const MARKS = { present: '=', missing: '+', surplus: '-' } as const

const tableOf = (acls: AclReview['acls']): string =>
  renderTable(
    ['', 'PERMISSION', 'PRINCIPAL', 'OPERATION', 'RESOURCE'],
    acls.map(({ state, permission, principal, operation, resourceType, resourceName, patternType }) => [
      MARKS[state],
      permission,
      principal,
      operation,
      `${resourceType} ${resourceName}${patternType === 'prefixed' ? '*' : ''}`,
    ]),
  )

function summaryOf({ mode, acls, foreign }: AclReview): string {
  const count = (wanted: AclReview['acls'][number]['state']): number =>
    acls.filter(({ state }) => state === wanted).length
  return `${mode}: ${count('present')} as they should be, ${count('missing')} to create, ${count('surplus')} to delete; ${foreign} of others, left alone`
}
