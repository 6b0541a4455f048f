import { createHash, randomBytes } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MeshError } from '@weft/schemas/error'
import { type SpiffeId, spiffeId } from '@weft/schemas/spiffe'
import { type CertificateAuthority, grantableId } from './authority.ts'
import { createDurably, openSecretFolder } from './durable-file.ts'

export interface JoinTokenRequest {
  readonly namespace: string
  readonly serviceAccount: string
  /** 1 to 86,400; default 600. */
  readonly ttlSeconds?: number
}

export interface JoinTokens {
  /** A token for one workload, durable when this resolves. Throws a MeshError that says what is wrong with the request. */
  create(request: JoinTokenRequest): Promise<{ readonly token: string; readonly expiresAt: Date }>
  /**
   * Consumes the token for the holder of this public key and says whose it is; or says why not. Consumed durably
   * when this resolves: give the certificate after it. The same key may redeem again until the token ends, so that a
   * sidecar whose answer got lost can ask once more; any other key never.
   */
  redeem(token: string, publicKey: Uint8Array): Promise<Redemption>
}

export type Redemption = { readonly identity: SpiffeId } | { readonly refused: string }

export interface JoinTokensOptions {
  readonly stateDir: string
  readonly authority: Pick<CertificateAuthority, 'trustDomain' | 'rootDer'>
}

/** What stands in `<hash of the secret>.json`. `<hash>.used` beside it holds the hash of the key that consumed it. */
interface TokenRecord {
  readonly namespace: string
  readonly serviceAccount: string
  readonly expiresAtMs: number
}

/** A process started by the same command joins within seconds; ten minutes leave room for a person in between. */
const DEFAULT_TTL_SECONDS = 600
const MAX_TTL_SECONDS = 86_400
/** Whoever may make tokens cannot fill the disk with them: 10,000 small files. */
const MAX_TOKENS = 10_000
const SECRET_BYTES = 32
const FORM = /^weft-join\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/
const HOW_TO_GET_ONE = 'make a new one with POST /api/v1/join-tokens of the control plane'

/**
 * Join tokens in `<stateDir>/tokens`, one file each. Only a hash of the secret is stored, and a token is looked up by
 * that hash: how long the look-up takes says nothing about the secret of another one.
 */
export async function openJoinTokens({ stateDir, authority }: JoinTokensOptions): Promise<JoinTokens> {
  const folder = join(stateDir, 'tokens')
  const records = await readAll(folder)
  const rootHash = sha256(authority.rootDer).toString('base64url')

  async function dropExpired(): Promise<void> {
    for (const [hash, record] of records) {
      if (record.expiresAtMs > Date.now()) continue
      records.delete(hash)
      await remove(folder, hash)
    }
  }

  async function create(request: JoinTokenRequest): Promise<{ token: string; expiresAt: Date }> {
    const ttlSeconds = request.ttlSeconds ?? DEFAULT_TTL_SECONDS
    if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > MAX_TTL_SECONDS)
      throw new MeshError(
        'invalid_resource',
        `ttlSeconds: expected 1 to ${MAX_TTL_SECONDS}, came ${ttlSeconds}`,
      )
    const { namespace, serviceAccount } = grantableId(
      authority.trustDomain,
      request.namespace,
      request.serviceAccount,
    )
    await dropExpired()
    if (records.size >= MAX_TOKENS)
      throw new MeshError(
        'overloaded',
        `there are ${MAX_TOKENS} join tokens already: wait until some have ended`,
      )
    const secret = randomBytes(SECRET_BYTES)
    const hash = hashOf(secret.toString('base64url'))
    const record = { namespace, serviceAccount, expiresAtMs: Date.now() + ttlSeconds * 1000 }
    // Counted before it is written: many creations at once keep the bound, too.
    records.set(hash, record)
    try {
      await createDurably(join(folder, `${hash}.json`), JSON.stringify(record))
    } catch (error) {
      records.delete(hash)
      throw error
    }
    const token = `weft-join.${secret.toString('base64url')}.${rootHash}`
    return { token, expiresAt: new Date(record.expiresAtMs) }
  }

  async function redeem(token: string, publicKey: Uint8Array): Promise<Redemption> {
    const [, secret, root] = FORM.exec(token) ?? []
    if (secret === undefined) return refused('is no join token (weft-join.<secret>.<root>)')
    if (root !== rootHash)
      return refused('was made by another control plane, or before its root was replaced')
    const hash = hashOf(secret)
    const record = records.get(hash)
    if (record === undefined) return refused('is unknown, or ended a while ago')
    if (record.expiresAtMs <= Date.now())
      return refused(`ended at ${new Date(record.expiresAtMs).toISOString()}`)
    // Two redeem at once: both see no `.used`; one creates it, the other is told that it is there, and compares.
    const used = join(folder, `${hash}.used`)
    const key = sha256(publicKey).toString('hex')
    if (!(await createDurably(used, key)) && (await readFile(used, 'utf8')) !== key)
      return refused('was used already')
    return { identity: spiffeId(authority.trustDomain, record.namespace, record.serviceAccount) }
  }

  await dropExpired()
  return { create, redeem }
}

const refused = (why: string): Redemption => ({ refused: `the join token ${why}; ${HOW_TO_GET_ONE}` })

const sha256 = (data: Uint8Array | string): Buffer => createHash('sha256').update(data).digest()
const hashOf = (secret: string): string => sha256(secret).toString('hex')

/** What cannot be read is no token: it can have been redeemed by nobody, and a new one is quickly made. */
async function readAll(folder: string): Promise<Map<string, TokenRecord>> {
  const records = new Map<string, TokenRecord>()
  const names = await openSecretFolder(folder)
  for (const name of names.filter((name) => name.endsWith('.json'))) {
    const hash = name.slice(0, -'.json'.length)
    const record = parse(await readFile(join(folder, name), 'utf8'))
    if (record === undefined) await remove(folder, hash)
    else records.set(hash, record)
  }
  return records
}

function parse(text: string): TokenRecord | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { namespace, serviceAccount, expiresAtMs } = value as Partial<Record<keyof TokenRecord, unknown>>
    if (typeof namespace !== 'string' || typeof serviceAccount !== 'string') return undefined
    return typeof expiresAtMs === 'number' ? { namespace, serviceAccount, expiresAtMs } : undefined
  } catch {
    return undefined
  }
}

/** The token before its mark: a crash in between must not leave a used token without the mark that it is used. */
async function remove(folder: string, hash: string): Promise<void> {
  await rm(join(folder, `${hash}.json`), { force: true })
  await rm(join(folder, `${hash}.used`), { force: true })
}
