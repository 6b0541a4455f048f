import { resolve } from 'node:path'
import {
  type Action,
  type Decision,
  decide,
  type HttpAction,
  KAFKA_OPERATIONS,
  type KafkaAction,
  subjectOf,
  type TcpAction,
} from '@weft/schemas/policy'
import { parseSpiffeId, spiffeId } from '@weft/schemas/spiffe'
import type { Command } from 'commander'
import { policyIndex } from '../../translate/index.ts'
import { document } from '../document.ts'
import { CliError, messageOf, usageError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import type { Outcome } from '../program.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { judge, readFolders } from '../up/resources.ts'
import { next, say } from '../words.ts'
import { parseToken, type TokenOptions } from './can-token.ts'

interface CanOptions extends GlobalOptions, TokenOptions {
  readonly filename?: readonly string[]
  readonly group?: string
  readonly trustDomain: string
}

export function addCan(program: Command, io: Io, outcome: Outcome): void {
  const command = program
    .command('can')
    .argument('<who>', 'service account (of -n, or as namespace/name), SPIFFE id, or anonymous')
    .argument('<verb>', `an HTTP method in capitals, connect, or one of ${KAFKA_OPERATIONS.join(', ')}`)
    .argument(
      '<what>',
      'a service (of -n, or as namespace/name; with :PORT for connect), externalService:NAME or gateway:NAME; a topic, or group:NAME, transactionalId:NAME, cluster',
    )
    .argument('[path]', 'path of the request, for an HTTP method')
    .option('-f, --filename <paths...>', 'ask these files and folders instead of the control plane')
    .option('--group <name>', 'consumer group that goes with a consume')
    .option('--jwt <provider>', 'with a token that this JwtProvider (of -n, or as namespace/name) accepts')
    .option('--claim <name=value...>', 'what the token claims')
    .option('--trust-domain <name>', 'with -f: the trust domain of short names', 'weft.local')
    .action(
      async (
        who: string,
        verb: string,
        what: string,
        path: string | undefined,
        _options: unknown,
        self: Command,
      ) => {
        outcome.exitCode = await can(io, { who, verb, what, path }, self.optsWithGlobals<CanOptions>())
      },
    )
  document(command, {
    description:
      'Ask whether the policies permit an action, and which of them decides. The sidecars decide by the same function.',
    examples: [
      ['weft can billing-service consume orders', 'a topic'],
      ['weft can product-service POST order-service /orders', 'a request'],
      ['weft can order-service connect order-db:5432', 'a connection of any other protocol'],
      ['weft can anonymous GET product-service / -f mesh', 'before anything is deployed'],
      ['weft can anonymous GET shop /orders --jwt accounts --claim role=admin', 'for an end user'],
    ],
    notes:
      'Exit code: 0 yes, 1 no (or the question failed), 2 wrong usage.\nJSON: {"allowed", "reason", "policy"?, "audited"?, "explanation"}.',
  })
}

/** The four words of a question. */
export interface Question {
  readonly who: string
  readonly verb: string
  readonly what: string
  readonly path: string | undefined
}

async function can(io: Io, question: Question, options: CanOptions): Promise<number> {
  const format = pickFormat(options.output, ['table', 'json'])
  const namespace = options.namespace ?? 'default'
  const action = parseAction(question, namespace, options.group)
  const decision =
    options.filename === undefined
      ? await askControlPlane(io, question.who, action, options)
      : await decideOffline(io, question.who, action, { ...options, filename: options.filename })
  if (format === 'json') io.out.write(toJson(decision))
  else {
    const { allowed, policy, audited, explanation } = decision
    io.out.write(`${allowed ? io.out.paint('green', 'yes') : io.out.paint('red', 'no')}  ${explanation}\n`)
    if (policy !== undefined) io.out.write(`policy  ${policy}\n`)
    if (audited !== undefined) io.out.write(`audited  ${audited} would refuse it if it were enforced\n`)
  }
  if (!decision.allowed) {
    const name = decision.policy?.split('/')[1]
    if (name === undefined) say(io, options, 'An AccessPolicy with a rule for this caller would permit it.')
    else if (options.filename === undefined) next(io, options, `weft get accesspolicy ${name} -o yaml`)
  }
  return decision.allowed ? EXIT.ok : EXIT.failed
}

async function askControlPlane(io: Io, who: string, action: Action, options: CanOptions): Promise<Decision> {
  const subject = parseSubject(who, options.namespace ?? 'default')
  const client = await connect(io, options)
  const token = parseToken(options, options.namespace ?? 'default')
  const asked = {
    ...('anonymous' in subject
      ? subject
      : { namespace: subject.namespace, serviceAccount: subject.serviceAccount }),
    ...(token !== undefined && { token }),
  }
  const decision = await client.ask<Decision>('/api/v1/can', { subject: asked, action })
  // The control plane answers for its own trust domain only; a name from another one must not pass for one of its own.
  if (who.startsWith('spiffe://') && !decision.explanation.startsWith(`${who} `))
    throw new CliError(`${who} is not of the trust domain of this control plane`, {
      hint: 'Ask the resource files with -f: they are decided on with any identity.',
    })
  return decision
}

async function decideOffline(
  io: Io,
  who: string,
  action: Action,
  options: CanOptions & { readonly filename: readonly string[] },
): Promise<Decision> {
  const { filename, namespace = 'default', trustDomain } = options
  const files = await readFolders(
    filename.map((path) => resolve(io.cwd, path)),
    io.cwd,
  )
  const { resources, faults } = judge(files, false)
  if (faults.length > 0)
    throw new CliError(
      `the files have ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}; no answer from them would be sure`,
      { faults },
    )
  const index = policyIndex(resources, trustDomain)
  const subject = parseSubject(who, namespace)
  const token = parseToken(options, namespace)
  if ('anonymous' in subject) return decide(index, subjectOf(undefined, token), action)
  try {
    const id = spiffeId(subject.trustDomain ?? trustDomain, subject.namespace, subject.serviceAccount)
    return decide(index, subjectOf(id, token), action)
  } catch (error) {
    throw usageError(`${JSON.stringify(who)} cannot be a caller: ${messageOf(error)}`)
  }
}

type AskedSubject =
  | { readonly anonymous: true }
  | { readonly namespace: string; readonly serviceAccount: string; readonly trustDomain?: string }

/** `billing-service`, `shop/billing-service`, `spiffe://…` or `anonymous`. */
export function parseSubject(who: string, namespace: string): AskedSubject {
  if (who === 'anonymous') return { anonymous: true }
  if (who.startsWith('spiffe://')) {
    const id = parseSpiffeId(who)
    if (id === undefined)
      throw usageError(
        `expected spiffe://<trust domain>/ns/<namespace>/sa/<service account>, came ${JSON.stringify(who)}`,
      )
    return { namespace: id.namespace, serviceAccount: id.serviceAccount, trustDomain: id.trustDomain }
  }
  const { first, rest } = split(who)
  return rest === undefined ? { namespace, serviceAccount: who } : { namespace: first, serviceAccount: rest }
}

/** Capitals are an HTTP method, small letters connect or a Kafka operation: DELETE and delete are two things. */
export function parseAction(
  { verb, what, path }: Question,
  namespace: string,
  group: string | undefined,
): Action {
  if (/^[A-Z-]+$/.test(verb)) {
    if (path === undefined)
      throw usageError(
        `which path? As in: weft can WHO ${verb} ${what} /orders`,
        'The answer may differ from path to path.',
      )
    if (!path.startsWith('/')) throw usageError(`a path begins with /, this is ${JSON.stringify(path)}`)
    return { protocol: 'http', ...httpResource(what, namespace), method: verb, path }
  }
  if (verb === 'connect') return connection(what, path, namespace)
  const operation = KAFKA_OPERATIONS.find((known) => known.toLowerCase() === verb.toLowerCase())
  if (operation === undefined)
    throw usageError(
      `no verb ${JSON.stringify(verb)}`,
      `Choose an HTTP method in capitals (GET, POST …), connect, or one of ${KAFKA_OPERATIONS.join(', ')}.`,
    )
  if (path !== undefined)
    throw usageError(`${operation} is a Kafka operation and takes no path; HTTP methods are in capitals`)
  return { protocol: 'kafka', ...kafkaResource(what), operation, ...(group !== undefined && { group }) }
}

function connection(what: string, path: string | undefined, namespace: string): TcpAction {
  if (path !== undefined) throw usageError('connect takes no path; HTTP methods are in capitals')
  const [, service = '', port = ''] = /^(.+):([0-9]{1,5})$/.exec(what) ?? []
  if (service === '')
    throw usageError(`which port? As in: weft can WHO connect ${what}:5432`, 'Each port is asked for itself.')
  const [, external = service] = /^externalService:(.+)$/.exec(service) ?? []
  return {
    protocol: 'tcp',
    ...serviceNamed(external, namespace),
    ...(external !== service && { resource: 'externalService' as const }),
    port: Number(port),
  }
}

function serviceNamed(
  what: string,
  namespace: string,
): { readonly service: string; readonly namespace: string } {
  const { first, rest } = split(what)
  return rest === undefined ? { service: what, namespace } : { service: rest, namespace: first }
}

function httpResource(
  what: string,
  namespace: string,
): Pick<HttpAction, 'resource' | 'service' | 'namespace'> {
  const [, resource, name = what] = /^(externalService|gateway):(.+)$/.exec(what) ?? []
  const { first, rest } = split(name)
  return {
    ...(rest === undefined ? { service: first, namespace } : { service: rest, namespace: first }),
    ...((resource === 'externalService' || resource === 'gateway') && { resource }),
  }
}

function kafkaResource(what: string): Pick<KafkaAction, 'resource' | 'name'> {
  if (what === 'cluster') return { resource: 'cluster', name: 'kafka-cluster' }
  const [, resource, name = ''] = /^(topic|group|transactionalId):(.+)$/.exec(what) ?? []
  if (resource === 'topic' || resource === 'group' || resource === 'transactionalId')
    return { resource, name }
  return { resource: 'topic', name: what }
}

function split(name: string): { readonly first: string; readonly rest: string | undefined } {
  const slash = name.indexOf('/')
  return slash === -1
    ? { first: name, rest: undefined }
    : { first: name.slice(0, slash), rest: name.slice(slash + 1) }
}
