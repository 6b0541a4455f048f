import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { document } from '../document.ts'
import { usageError } from '../errors.ts'
import type { Io } from '../io.ts'
import { pickFormat, toJson } from '../output/format.ts'
import { connect, type GlobalOptions } from '../settings.ts'
import { writeWhole } from '../up/state.ts'
import { next, say } from '../words.ts'

interface TokenOptions extends GlobalOptions {
  readonly serviceAccount: string
  readonly ttl?: number
}

interface CertificateOptions extends TokenOptions {
  readonly dns: readonly string[]
  readonly out?: string
}

const DEFAULT_CERTIFICATE_TTL_SECONDS = 24 * 3600

export function addToken(program: Command, io: Io): void {
  const token = program.command('token')
  document(token, {
    description: 'Join tokens: how a sidecar proves itself the first time.',
    examples: [['weft token create --service-account billing-service', 'one token, good for one use']],
  })
  const create = token
    .command('create')
    .requiredOption('--service-account <name>', 'whom the token stands for')
    .option(
      '--ttl <time>',
      'how long it is good, as 90s, 10m or 1h (default: the control plane decides)',
      parseTtl,
    )
    .action(async (_options: unknown, self: Command) => createToken(io, self.optsWithGlobals<TokenOptions>()))
  document(create, {
    description: 'Print a new join token.',
    examples: [
      ['weft token create --service-account billing-service > token', 'for WEFT_JOIN_TOKEN_FILE=token'],
    ],
    notes: 'JSON: {"token", "expiresAt"}.',
  })
}

async function createToken(io: Io, options: TokenOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  const client = await connect(io, options)
  const answer = await client.send<{ token: string; expiresAt: string }>('POST', '/api/v1/join-tokens', {
    namespace: options.namespace ?? 'default',
    serviceAccount: options.serviceAccount,
    ...(options.ttl !== undefined && { ttlSeconds: options.ttl }),
  })
  io.out.write(
    format === 'json' ? toJson({ token: answer.token, expiresAt: answer.expiresAt }) : `${answer.token}\n`,
  )
  say(
    io,
    options,
    `for ${options.namespace ?? 'default'}/${options.serviceAccount}, once, until ${answer.expiresAt}`,
  )
}

export function addCerts(program: Command, io: Io): void {
  const certs = program.command('certs')
  document(certs, {
    description: 'Certificates for what has no sidecar, such as a Kafka broker.',
    examples: [
      [
        'weft certs issue --service-account kafka --dns broker-1 --out ./tls',
        'key and certificate for a broker',
      ],
    ],
  })
  const issue = certs
    .command('issue')
    .requiredOption('--service-account <name>', 'the identity in the certificate')
    .requiredOption('--dns <name...>', 'host names or addresses by which it is reached')
    .option('--ttl <time>', 'how long it is good, as 90m, 24h or 30d (default: 24h)', parseTtl)
    .option('--out <folder>', 'writes certificate.pem, key.pem and ca.pem there; needed unless -o json')
    .action(async (_options: unknown, self: Command) =>
      issueCertificate(io, self.optsWithGlobals<CertificateOptions>()),
    )
  document(issue, {
    description: 'Make a key and a certificate of the mesh authority.',
    examples: [
      ['weft certs issue --service-account kafka -n kafka --dns localhost --out ./tls', 'three files'],
      ['weft certs issue --service-account kafka --dns localhost -o json', 'to stdout'],
    ],
    notes: 'JSON: {"certificatePem", "privateKeyPem", "trustBundlePem"}.',
  })
}

async function issueCertificate(io: Io, options: CertificateOptions): Promise<void> {
  const format = pickFormat(options.output, ['table', 'json'])
  if (format === 'table' && options.out === undefined)
    throw usageError('where to? Name a folder with --out, or print all of it with -o json')
  const client = await connect(io, options)
  const issued = await client.send<Record<'certificatePem' | 'privateKeyPem' | 'trustBundlePem', string>>(
    'POST',
    '/api/v1/certificates',
    {
      namespace: options.namespace ?? 'default',
      serviceAccount: options.serviceAccount,
      dnsNames: options.dns,
      ttlSeconds: options.ttl ?? DEFAULT_CERTIFICATE_TTL_SECONDS,
    },
  )
  if (options.out !== undefined) {
    const folder = resolve(io.cwd, options.out)
    await mkdir(folder, { recursive: true })
    await writeWhole(join(folder, 'key.pem'), issued.privateKeyPem, 0o600)
    await writeWhole(join(folder, 'certificate.pem'), issued.certificatePem, 0o644)
    await writeWhole(join(folder, 'ca.pem'), issued.trustBundlePem, 0o644)
    say(io, options, `wrote certificate.pem, key.pem and ca.pem to ${folder}`)
    next(io, options, `openssl x509 -in ${join(options.out, 'certificate.pem')} -noout -text`)
  }
  if (format === 'json') {
    const { certificatePem, privateKeyPem, trustBundlePem } = issued
    io.out.write(toJson({ certificatePem, privateKeyPem, trustBundlePem }))
  }
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

function parseTtl(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const seconds = Number(digits) * (SECONDS[unit] ?? Number.NaN)
  if (!(seconds >= 1))
    throw usageError(`--ttl: expected a time as 90s, 10m, 24h or 30d, came ${JSON.stringify(text)}`)
  return seconds
}
